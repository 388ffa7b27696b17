/** Ends the command with a message for a person: no stack trace. */
export function fail(error: unknown, code = 1): never {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`livetag: ${message.replaceAll('\n', '\n         ')}\n`)
  process.exit(code)
}

/** Says what to do about what the system refuses. */
export function explain(error: NodeJS.ErrnoException & { address?: string; port?: number }): Error {
  const place = `${error.address}:${error.port}`
  if (error.code === 'EADDRINUSE')
    return new Error(`something else listens on ${place} already: stop it, or set PORT to another port`)
  if (error.code === 'EACCES') return new Error(`this user may not listen on ${place}: set PORT to 1024 or more`)
  if (error.code === 'EADDRNOTAVAIL') return new Error(`this machine has no address ${error.address}: set HOST`)
  return error
}
