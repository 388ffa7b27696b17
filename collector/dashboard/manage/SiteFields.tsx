import { useMemo } from 'preact/hooks'
import { strings } from '../strings.ts'
import { Choice, Field } from '../ui/Field.tsx'
import { hostOf, isTimeZone } from './site-text.ts'

interface SiteFieldsProps {
  domain: string
  consent: string
  timezone: string
  onDomain?: (host: string) => void
}

/** What a site is asked for, made or changed; `readSite` takes it out of the form. */
export function SiteFields({ domain, consent, timezone, onDomain }: SiteFieldsProps) {
  const words = strings.manage.site
  const zones = useMemo(() => Intl.supportedValuesOf('timeZone'), [])
  return (
    <>
      <Field
        name="domain"
        label={words.domain}
        hint={words.domainHint}
        placeholder="shop.example"
        inputMode="url"
        autoCapitalize="off"
        maxLength={253}
        defaultValue={domain}
        dir="ltr"
        check={text => (/^[^\s/:%]+(:\d+)?$/.test(hostOf(text)) || !text ? '' : words.domainWrong)}
        onText={text => onDomain?.(hostOf(text))}
      />
      <Choice
        name="consent"
        label={words.consent}
        value={consent}
        options={(['required', 'cookieless', 'none'] as const).map(mode => [
          mode,
          strings.consentMode[mode] ?? mode,
          words.consentText[mode],
        ])}
      />
      <Field
        name="timezone"
        label={words.timezone}
        hint={words.timezoneHint}
        defaultValue={timezone}
        dir="ltr"
        proposed={zones}
        check={text => (isTimeZone(text) || !text ? '' : words.timezoneWrong)}
      />
    </>
  )
}

export const readSite = (form: FormData) => ({
  domain: hostOf(String(form.get('domain'))),
  consent: String(form.get('consent')),
  timezone: String(form.get('timezone')),
})
