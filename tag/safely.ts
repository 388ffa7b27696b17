/** The walls between the tag and its page: nothing that goes wrong on one side is felt on the other. */
import type { Moments, Tag } from './types.ts'

/** `fn` that never throws: it returns `undefined` instead. */
export const safely =
  <A extends unknown[], R>(fn: (...args: A) => R) =>
  (...args: A): R | undefined => {
    try {
      return fn(...args)
    } catch {}
  }

/**
 * `addEventListener` that never throws into the page. All are heard in the capture phase, on their way down from the window:
 * what does not bubble, too, and before a page can stop it.
 */
export const on = <E extends Event>(type: string, fn: (event: E) => unknown, target: EventTarget = window) =>
  target.addEventListener(type, safely(fn) as unknown as EventListener, true)

const waiting: { [moment in keyof Moments]?: ((value: never) => unknown)[] } = {}

export const at: Tag['at'] = (moment, fn) => {
  waiting[moment] ||= []
  ;(waiting[moment] as unknown[]).push(fn)
}

export const reach = <M extends keyof Moments>(moment: M, value?: Moments[M]): void => {
  waiting[moment]?.map(fn => safely(fn)(value as never))
}
