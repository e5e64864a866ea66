/** nginx in the versions people name; the server itself is `nginx-program.ts`. */
import { defineImage, type Image, type Reference } from '../image.ts';
import { basePrograms, debianFiles, passwd } from './base.ts';
import { bring } from './bring.ts';

const WELCOME = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href="http://nginx.org/">nginx.org</a>.<br/>
Commercial support is available at
<a href="http://nginx.com/">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
`;
const DEFAULT_CONF = `server {
    listen       80;
    server_name  localhost;

    location / {
        root   /usr/share/nginx/html;
        index  index.html index.htm;
    }

    error_page   500 502 503 504  /50x.html;
    location = /50x.html {
        root   /usr/share/nginx/html;
    }
}
`;

const VERSIONS: readonly { readonly version: string; readonly size: number; readonly tags: readonly string[] }[] = [
  { version: '1.29.0', size: 72_324_501, tags: ['latest', '1', '1.29', '1.29.0', 'mainline'] },
  { version: '1.28.0', size: 72_223_946, tags: ['1.28', '1.28.0', 'stable'] },
  { version: '1.27.5', size: 72_404_038, tags: ['1.27', '1.27.5'] },
  { version: '1.26.3', size: 71_005_258, tags: ['1.26', '1.26.3'] },
  { version: '1.25.5', size: 71_010_466, tags: ['1.25', '1.25.5'] },
  { version: '1.29.0', size: 22_478_000, tags: ['alpine', '1-alpine', '1.29-alpine'] },
];
/** The last release of every minor version: all of them from .0 on have tags. */
const LAST: Readonly<Record<number, number>> = {
  ...{ 7: 12, 8: 1, 9: 15, 10: 3, 11: 13, 12: 2, 13: 12, 14: 2, 15: 12, 16: 1, 17: 10, 18: 0, 19: 10, 20: 2, 21: 6, 22: 1, 23: 4 },
  ...{ 24: 0, 25: 5, 26: 3, 27: 5, 28: 0, 29: 0 },
};

const nginx = (version: string, sizeBytes: number, names: readonly string[]): Image =>
  defineImage({
    names,
    sizeBytes,
    programs: { ...basePrograms, '/docker-entrypoint.sh': bring((all) => all.nginxEntrypoint), '/usr/sbin/nginx': bring((all) => all.nginx(version)) },
    entrypoint: ['/docker-entrypoint.sh'],
    cmd: ['nginx', '-g', 'daemon off;'],
    env: { NGINX_VERSION: version, PKG_RELEASE: '1~bookworm' },
    files: {
      ...debianFiles,
      '/etc/passwd': passwd('nginx:x:101:101:nginx user:/nonexistent:/bin/false'),
      '/usr/share/nginx/html/index.html': WELCOME,
      '/usr/share/nginx/html/50x.html':
        '<!DOCTYPE html>\n<html>\n<head>\n<title>Error</title>\n</head>\n<body>\n<h1>An error occurred.</h1>\n</body>\n</html>\n',
      '/etc/nginx/conf.d/default.conf': DEFAULT_CONF,
      '/etc/nginx/nginx.conf':
        'user  nginx;\nworker_processes  auto;\n\nevents {\n    worker_connections  1024;\n}\n\nhttp {\n    include /etc/nginx/conf.d/*.conf;\n}\n',
    },
    ports: [80],
    stopSignal: 'QUIT',
    idle: { memoryBytes: 7 * 1024 * 1024, cpuMilli: 0 },
  });

export const nginxImages: readonly Image[] = VERSIONS.map(({ version, size, tags }) =>
  nginx(
    version,
    size,
    tags.map((tag) => `nginx:${tag}`),
  ),
);

const older = new Map<string, Image>();
/** Releases people name besides: `nginx:1.14.2`, `nginx:1.16-alpine`. What was never released is not found (`nginx:1.161`). */
export function nginxReleases({ domain, path, tag }: Reference): Image | undefined {
  const [, minor, patch, alpine] = (domain === 'docker.io' && path === 'library/nginx' && /^1\.(\d+)(?:\.(\d+))?(-alpine)?$/.exec(tag ?? '')) || [];
  const last = LAST[Number(minor ?? -1)];
  if (last === undefined || Number(patch ?? last) > last) return undefined;
  const version = `1.${minor}.${patch ?? last}`;
  const key = `${version}${alpine ?? ''}`;
  let image = older.get(key);
  if (!image) {
    // They have grown over the years.
    const size = alpine ? 6_000_000 + Number(minor) * 550_000 : 38_000_000 + Number(minor) * 1_150_000;
    const names = [`nginx:${key}`, ...(Number(patch ?? last) === last ? [`nginx:1.${minor}${alpine ?? ''}`] : [])];
    image = nginx(version, size, names);
    older.set(key, image);
  }
  return image;
}
