/** `/api/v2/properties?site=`: by which properties events are counted. */
import type { SiteList } from './site-lists-api.ts'
import { addProperty, listProperties, PropertyError, removeProperty } from './sites/index.ts'

const CODES = {
  invalid: 'property-invalid',
  exists: 'property-exists',
  'too-many': 'too-many-properties',
  unknown: 'property-unknown',
} as const satisfies Record<PropertyError['why'], string>

export const PROPERTIES: SiteList = {
  field: 'properties',
  noun: 'property',
  list: (db, { key }) => listProperties(db, key),
  add: addProperty,
  remove: removeProperty,
  codeOf: error => (error instanceof PropertyError ? CODES[error.why] : undefined),
}
