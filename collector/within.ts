/**
 * What was asked, or a failure after so many ms: of a server that is frozen the driver gives up only when its monitor
 * does, after most of a minute, and its `timeoutMS` does not change that. The action itself goes on.
 * @throws Error that names what took too long
 */
export async function within<T>(action: Promise<T>, ms: number, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} took more than ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([action, late])
  } finally {
    clearTimeout(timer)
  }
}
