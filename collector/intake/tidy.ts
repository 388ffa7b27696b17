/** Cut, and without what can't be stored: a bad title must not cost the page view. */
export const tidy = (text: string, length: number): string => text.slice(0, length).toWellFormed().replaceAll('\0', '')
