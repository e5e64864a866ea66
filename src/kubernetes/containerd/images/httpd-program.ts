/** Apache's httpd: serves files of its document root on port 80, logs to standard output, stops on WINCH and TERM. */
import type { HttpResponse } from '../../../linux/http.ts';
import type { Program } from '../../../linux/program.ts';
import { createLoad } from './busy.ts';
import { commonLogTime } from './clock-text.ts';
import { service } from './service.ts';

const ROOT = '/usr/local/apache2/htdocs';
const CONF = '/usr/local/apache2/conf/httpd.conf';
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  htm: 'text/html',
  css: 'text/css',
  js: 'text/javascript',
  json: 'application/json',
  txt: 'text/plain',
};

export const httpd = (version: string): Program =>
  service((it) => {
    const { self } = it;
    if (self.argv.includes('-v')) {
      it.out(`Server version: Apache/${version} (Unix)`);
      return it.exit(0);
    }
    it.stopOn('TERM', 'WINCH');
    const conf = self.files.exists(CONF) ? self.files.read(CONF) : '';
    const ports = [...conf.matchAll(/^\s*Listen\s+(?:[\d.]+:)?(\d+)/gim)].map((m) => Number(m[1]));
    const root = /^\s*DocumentRoot\s+"?([^"\n]+)"?/im.exec(conf)?.[1] ?? ROOT;
    const name = it.self.hostname;
    it.err(
      `AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using ${name}. Set the 'ServerName' directive globally to suppress this message`,
    );
    const work = createLoad(self, 1);
    const refusal = (status: number, title: string, text: string): HttpResponse => ({
      status,
      headers: { 'Content-Type': 'text/html; charset=iso-8859-1' },
      body: `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>${status} ${title}</title>\n</head><body>\n<h1>${title}</h1>\n<p>${text}</p>\n</body></html>\n`,
    });
    const answer = (path: string): HttpResponse => {
      let at = `${root}${path}`;
      if (self.files.exists(at) && self.files.isDirectory(at)) {
        const index = `${at.replace(/\/$/, '')}/index.html`;
        if (!self.files.exists(index)) {
          const items = self.files.list(at).map((each) => `<li><a href="${each}"> ${each}</a></li>\n`);
          return {
            status: 200,
            headers: { 'Content-Type': 'text/html;charset=ISO-8859-1' },
            body: `<html>\n <head>\n  <title>Index of ${path}</title>\n </head>\n <body>\n<h1>Index of ${path}</h1>\n<ul>${items.join('')}</ul>\n</body></html>\n`,
          };
        }
        at = index;
      }
      if (!self.files.exists(at)) return refusal(404, 'Not Found', 'The requested URL was not found on this server.');
      return { status: 200, headers: { 'Content-Type': TYPES[at.slice(at.lastIndexOf('.') + 1)] ?? 'application/octet-stream' }, body: self.files.read(at) };
    };
    for (const port of ports.length > 0 ? ports : [80])
      it.http(port, (request) => {
        work(1);
        const { status, headers, body = '' } = answer(request.path);
        it.out(`${request.remote.ip} - - [${commonLogTime(self.process.clock.now())}] "${request.method} ${request.target} HTTP/1.1" ${status} ${body.length}`);
        return { status, headers: { Server: `Apache/${version} (Unix)`, ...headers }, body };
      });
    it.err(`[mpm_event:notice] [pid 1:tid 1] AH00489: Apache/${version} (Unix) configured -- resuming normal operations`);
    it.err("[core:notice] [pid 1:tid 1] AH00094: Command line: 'httpd -D FOREGROUND'");
  });
