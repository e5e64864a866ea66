/** `python3 -m http.server [port] [--directory DIR]`: the files of a directory over HTTP, each request a line on stderr. */
import { type HttpResponse, serveHttp } from '../../../linux/http.ts';
import type { ProgramContext } from '../../../linux/program.ts';
import { defer } from '../../../sim/mailbox.ts';
import { commonLogTime } from './clock-text.ts';

const TYPES: Readonly<Record<string, string>> = { html: 'text/html', css: 'text/css', js: 'text/javascript', json: 'application/json', txt: 'text/plain' };

/** `args` follow `-m`. Any other module is not there. */
export async function httpServer(self: ProgramContext, args: readonly string[]): Promise<number> {
  if (args[0] !== 'http.server') {
    self.stderr(`/usr/local/bin/python3: No module named ${args[0] ?? ''}\n`);
    return 1;
  }
  const { clock } = self.process;
  const at = args.findIndex((arg) => arg === '--directory' || arg === '-d');
  const root = (at < 0 ? self.cwd : (args[at + 1] ?? self.cwd)).replace(/\/$/, '');
  const port = Number(args.slice(1).find((arg, i) => /^\d+$/.test(arg) && args[i] !== '--bind' && args[i] !== '-b') ?? 8000);
  const answer = (path: string): HttpResponse => {
    let file = `${root}${path}`;
    if (self.files.exists(file) && self.files.isDirectory(file)) {
      const index = `${file.replace(/\/$/, '')}/index.html`;
      if (!self.files.exists(index)) {
        const items = self.files.list(file).map((name) => `<li><a href="${name}">${name}</a></li>\n`);
        const title = `Directory listing for ${path}`;
        const body = `<!DOCTYPE HTML>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>${title}</title>\n</head>\n<body>\n<h1>${title}</h1>\n<hr>\n<ul>\n${items.join('')}</ul>\n<hr>\n</body>\n</html>\n`;
        return { status: 200, headers: { 'Content-type': 'text/html; charset=utf-8' }, body };
      }
      file = index;
    }
    if (self.files.exists(file))
      return {
        status: 200,
        headers: { 'Content-type': TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? 'application/octet-stream' },
        body: self.files.read(file),
      };
    return {
      status: 404,
      headers: { 'Content-Type': 'text/html;charset=utf-8' },
      body: '<!DOCTYPE HTML>\n<html lang="en">\n    <body>\n        <h1>Error response</h1>\n        <p>Error code: 404</p>\n        <p>Message: File not found.</p>\n    </body>\n</html>\n',
    };
  };
  serveHttp(self.sockets, port, (request) => {
    const response = answer(request.path);
    // Its log has the day first, as in the common log format, and no zone.
    const when = commonLogTime(clock.now())
      .replace(/:(?=\d\d:\d\d:\d\d)/, ' ')
      .replace(/ \+0000$/, '');
    if (response.status === 404) self.stderr(`${request.remote.ip} - - [${when}] code 404, message File not found\n`);
    self.stderr(`${request.remote.ip} - - [${when}] "${request.method} ${request.target} HTTP/1.1" ${response.status} -\n`);
    return { ...response, headers: { Server: 'SimpleHTTP/0.6 Python/3.13.5', ...response.headers } };
  });
  self.stdout(`Serving HTTP on 0.0.0.0 port ${port} (http://0.0.0.0:${port}/) ...\n`);
  const done = defer<number>(clock);
  self.onSignal((signal) => {
    // As pid 1 it ignores TERM: nothing handles it there. INT is a KeyboardInterrupt.
    if (signal === 'INT') done.resolve(0);
  });
  return done.promise;
}
