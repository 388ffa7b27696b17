/**
 * Inserts of documents that are BSON already. Of thousands of documents most fields are the same: these are turned into BSON
 * once, and each document is put together from bytes.
 */
import { BSON, type BulkWriteOptions, type Collection, type Document, type UnorderedBulkOperation } from 'mongodb'

const OPTIONS = { ignoreUndefined: true } as const
/** Of a document: its length, and a zero at its end. */
const AROUND = { before: 4, after: 1 } as const
/** Added in the place of a document. */
const PLACE: Document = {}
const PLACE_BYTES = 5

/** The fields of a document as BSON, to be joined with others to one; fields that are undefined are left out. */
export const fieldsOf = (document: Document): Uint8Array =>
  BSON.serialize(document, OPTIONS).subarray(AROUND.before, -AROUND.after)

/** A document of these fields. */
export function documentOf(...fields: Uint8Array[]): Uint8Array {
  let length = AROUND.before + AROUND.after
  for (const part of fields) length += part.length
  const document = Buffer.allocUnsafe(length)
  document.writeInt32LE(length, 0)
  let at: number = AROUND.before
  for (const part of fields) {
    document.set(part, at)
    at += part.length
  }
  document[at] = 0
  return document
}

/** What the driver keeps of a bulk insert from when its documents are added; its types do not tell. */
interface Kept {
  s?: { currentInsertBatch?: { serializedOperations?: Uint8Array[]; sizeBytes: number } }
}

/**
 * An unordered insert of these documents, each with its `_id`. The driver turns a document into BSON when it is added, and
 * sends that later. It has no way to be given BSON, so the bytes are exchanged where it keeps them. The first document shows
 * whether it does so: another driver is given documents, and everything is as it was, only slower.
 */
export function insertOf(
  collection: Collection,
  documents: readonly Uint8Array[],
  options: BulkWriteOptions,
): Pick<UnorderedBulkOperation, 'execute'> {
  // No `_id` of the driver's own.
  const insert = collection.initializeUnorderedBulkOp({ ...options, forceServerObjectId: true })
  const kept = (insert as unknown as Kept).s
  let takes = false
  for (const [i, document] of documents.entries()) {
    insert.insert(takes ? PLACE : BSON.deserialize(document))
    const batch = kept?.currentInsertBatch
    const bytes = batch?.serializedOperations
    if (i === 0) takes = bytes?.length === 1 && bytes[0] instanceof Uint8Array
    else if (takes && batch && bytes) {
      bytes[bytes.length - 1] = document
      batch.sizeBytes += document.length - PLACE_BYTES
    }
  }
  return insert
}
