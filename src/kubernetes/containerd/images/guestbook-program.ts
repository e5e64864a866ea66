/**
 * The guestbook's frontend: writes to redis-leader, reads from redis-follower, found by DNS or, with
 * GET_HOSTS_FROM=env, by the variables of their services (`guestbook.php` of examples/guestbook).
 */
import type { HttpResponse } from '../../../linux/http.ts';
import type { Program } from '../../../linux/program.ts';
import { seconds } from '../../../sim/clock.ts';
import { commonLogTime } from './clock-text.ts';
import { encodeReply } from './redis-program.ts';
import { type Service, service } from './service.ts';

const PAGE =
  '<html ng-app="redis">\n  <head>\n    <title>Guestbook</title>\n  </head>\n  <body ng-controller="RedisCtrl">\n    <div style="width: 50%; margin-left: 20px">\n      <h2>Guestbook</h2>\n    </div>\n  </body>\n</html>\n';

async function redis({ self }: Service, host: string, words: readonly string[]): Promise<string> {
  const connection = await self.sockets.connect(host, 6379, { timeout: seconds(5) });
  connection.send(encodeReply(words));
  const reply = (await connection.receive()) ?? '';
  connection.close();
  if (reply.startsWith('-')) throw new Error(reply.slice(1).trim());
  return reply.startsWith('$-1') ? '' : reply.replace(/^\$\d+\r\n/, '').replace(/\r\n$/, '');
}

/** `old`: versions up to v4 speak of a master and slaves. */
export const guestbook = (old: boolean): Program =>
  service((it) => {
    const { env, process } = it.self;
    const [leader, follower] = old ? ['redis-master', 'redis-slave'] : ['redis-leader', 'redis-follower'];
    const host = (name: string): string => (env['GET_HOSTS_FROM'] === 'env' ? (env[`${name.toUpperCase().replaceAll('-', '_')}_SERVICE_HOST`] ?? '') : name);
    it.stopOn('TERM', 'WINCH');
    it.http(80, async ({ path, query, target, method, remote, headers }): Promise<HttpResponse> => {
      await it.work(3);
      let answer: HttpResponse = { status: 404, headers: { 'Content-Type': 'text/html; charset=iso-8859-1' }, body: '<h1>Not Found</h1>\n' };
      if (path === '/' || path === '/index.html') answer = { status: 200, headers: { 'Content-Type': 'text/html' }, body: PAGE };
      else if (path === '/guestbook.php') {
        try {
          const { cmd, key = '', value = '' } = query;
          const body =
            cmd === 'set'
              ? await redis(it, host(leader!), ['SET', key, value]).then(() => '{"message": "Updated"}')
              : cmd === undefined
                ? 'phpinfo()\n'
                : `{"data": ${JSON.stringify(await redis(it, host(follower!), ['GET', key]))}}`;
          answer = { status: 200, headers: { 'Content-Type': cmd === undefined ? 'text/html' : 'application/json' }, body };
        } catch (error) {
          it.err(`PHP Fatal error:  Uncaught exception 'Predis\\Connection\\ConnectionException' with message '${(error as Error).message}'`);
          answer = { status: 500, body: '' };
        }
      }
      it.out(
        `${remote.ip} - - [${commonLogTime(process.clock.now())}] "${method} ${target} HTTP/1.1" ${answer.status} ${(answer.body ?? '').length} "-" "${headers['user-agent'] ?? '-'}"`,
      );
      return answer;
    });
  });
