/** WordPress on Apache: copies itself into its directory, and shows its installation page once it finds its database. */
import type { HttpResponse } from '../../../linux/http.ts';
import { seconds } from '../../../sim/clock.ts';
import { askLine } from './line-protocol.ts';
import { service } from './service.ts';

const ROOT = '/var/www/html';

export const wordpress = service(async (it) => {
  const { self } = it;
  const { env, files } = self;
  if (!files.exists(`${ROOT}/index.php`)) {
    it.err(`WordPress not found in ${ROOT} - copying now...`);
    await self.process.clock.sleep(seconds(2));
    for (const name of files.list('/usr/src/wordpress')) files.write(`${ROOT}/${name}`, files.read(`/usr/src/wordpress/${name}`));
    it.err(`Complete! WordPress has been successfully copied to ${ROOT}`);
  }
  it.stopOn('WINCH', 'TERM');
  const [host = 'mysql', port = '3306'] = (env['WORDPRESS_DB_HOST'] ?? 'mysql').split(':');
  const database = env['WORDPRESS_DB_NAME'] ?? 'wordpress';
  const login = { user: env['WORDPRESS_DB_USER'] ?? 'example username', password: env['WORDPRESS_DB_PASSWORD'] ?? 'example password' };
  /** Whether the database is there and lets us in. */
  const connected = async (): Promise<boolean> => {
    try {
      const answer = JSON.parse(await askLine(self, host, Number(port), JSON.stringify({ ...login, sql: `CREATE DATABASE IF NOT EXISTS ${database}` }))) as {
        error?: string;
      };
      return answer.error === undefined;
    } catch {
      return false;
    }
  };
  it.http(80, async ({ path }): Promise<HttpResponse> => {
    await it.work(20);
    if (!(await connected())) return { status: 500, headers: { 'content-type': 'text/html' }, body: '<h1>Error establishing a database connection</h1>\n' };
    if (path === '/wp-admin/install.php')
      return {
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: '<!DOCTYPE html>\n<title>WordPress &rsaquo; Installation</title>\n<h1>Welcome</h1>\n',
      };
    return { status: 302, headers: { location: `http://${self.hostname}/wp-admin/install.php` }, body: '' };
  });
  it.err("AH00094: Command line: 'apache2 -D FOREGROUND'");
});
