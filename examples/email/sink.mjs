/** An SMTP server that takes every mail and keeps its HTML. */
import PostalMime from 'postal-mime'
import { SMTPServer } from 'smtp-server'

/** @returns `mails`: HTML by the address of the recipient */
export async function startSink() {
  const mails = new Map()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, { envelope: { rcptTo } }, done) {
      const chunks = []
      stream.on('data', chunk => chunks.push(chunk))
      stream.on('end', () => {
        PostalMime.parse(Buffer.concat(chunks)).then(({ html }) => {
          for (const { address } of rcptTo) mails.set(address, html)
          done()
        }, done)
      })
    },
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.server.address()
  return { mails, port, close: () => new Promise(resolve => server.close(resolve)) }
}
