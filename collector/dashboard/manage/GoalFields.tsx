import { useState } from 'preact/hooks'
import { useShell } from '../shell/context.ts'
import { strings } from '../strings.ts'
import { Choice, Field } from '../ui/Field.tsx'
import { Conditions } from './Conditions.tsx'

const WORTH = ['none', 'fixed', 'property'] as const

/** What a goal is asked for; `readGoal` takes it out of the form. */
export function GoalFields() {
  const { watching } = useShell()
  const [kind, setKind] = useState('page')
  const [worth, setWorth] = useState('none')
  const [name, setName] = useState('')
  const [own, setOwn] = useState(false)
  const words = strings.manage.goals
  // What came in the last half hour is proposed.
  const minutes = [...(watching.view.get().live?.minutes.values() ?? [])]
  const seen = minutes.flatMap(minute => [...(kind === 'page' ? minute.page : minute.name).keys()])
  const isPage = kind === 'page'
  return (
    <>
      <Choice
        name="kind"
        label={words.counts}
        value="page"
        options={[
          ['page', words.page, words.pageText],
          ['event', words.event, words.eventText],
        ]}
        onPick={setKind}
      />
      <Field
        key={kind}
        name="match"
        label={isPage ? words.path : words.eventName}
        hint={isPage ? words.pathHint : words.eventHint}
        placeholder={isPage ? '/thanks*' : 'signup'}
        maxLength={isPage ? 500 : 120}
        {...(isPage && { pattern: '/.*', title: words.pathWrong, dir: 'ltr' as const })}
        proposed={[...new Set(seen)].filter(one => one !== '(other)').slice(0, 100)}
        onText={text => own || setName(text.slice(0, 100))}
      />
      <Conditions />
      <Choice
        name="worth"
        label={words.worthLabel}
        value="none"
        options={WORTH.map(one => [one, words.worths[one]])}
        onPick={setWorth}
      />
      {worth !== 'none' && (
        <div class="pair">
          {worth === 'fixed' ? (
            <Field
              key="amount"
              name="amount"
              label={words.amount}
              inputMode="decimal"
              pattern="\d{1,12}(\.\d{1,4})?"
              title={words.amountWrong}
              placeholder="49.90"
              dir="ltr"
            />
          ) : (
            <Field key="of" name="worth-property" label={words.property} maxLength={100} placeholder="price" />
          )}
          <Field
            name="currency"
            label={words.currency}
            pattern="[A-Za-z]{3}"
            title={words.currencyWrong}
            placeholder="EUR"
            dir="ltr"
            proposed={Intl.supportedValuesOf('currency')}
          />
        </div>
      )}
      <Field
        name="name"
        label={words.name}
        hint={words.nameHint}
        value={name}
        maxLength={100}
        onText={text => {
          setOwn(text !== '')
          setName(text)
        }}
      />
    </>
  )
}
