/** Questions and answers of one line each, over a connection: what the stand-ins here speak instead of their real protocols. */
import type { ProgramContext } from '../../../linux/program.ts';
import type { Connection } from '../../../linux/sockets.ts';
import { type Duration, seconds } from '../../../sim/clock.ts';

/** Answers each line that comes, in order. An answer may take its time. */
export function answerLines(self: ProgramContext, port: number, answer: (line: string, from: Connection) => string | Promise<string>): void {
  self.sockets.listen(port, (connection) => {
    serve(connection, answer).catch(() => {});
  });
}

async function serve(connection: Connection, answer: (line: string, from: Connection) => string | Promise<string>): Promise<void> {
  let text = '';
  for (;;) {
    const segment = await connection.receive();
    if (segment === undefined) return connection.close();
    text += segment;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      connection.send(`${await answer(line, connection)}\n`);
    }
  }
}

/** Asks one line and hangs up. Rejects with SocketError when nobody answers. */
export async function askLine(self: ProgramContext, host: string, port: number, line: string, timeout: Duration = seconds(3)): Promise<string> {
  const connection = await self.sockets.connect(host, port, { timeout });
  connection.send(`${line}\n`);
  let text = '';
  while (!text.includes('\n')) {
    const segment = await connection.receive();
    if (segment === undefined) break;
    text += segment;
  }
  connection.close();
  return text.split('\n')[0] ?? '';
}
