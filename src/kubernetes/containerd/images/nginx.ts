/** nginx in the versions people name; the server itself is `nginx-program.ts`. */
import { defineImage, type Image } from '../image.ts';
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
  { version: '1.23.4', size: 56_882_284, tags: ['1.23', '1.23.4'] },
  { version: '1.21.6', size: 56_746_739, tags: ['1.21', '1.21.6'] },
  { version: '1.19.10', size: 53_700_000, tags: ['1.19', '1.19.10'] },
  { version: '1.16.1', size: 51_030_575, tags: ['1.16', '1.16.1'] },
  { version: '1.14.2', size: 44_710_204, tags: ['1.14', '1.14.2'] },
  { version: '1.29.0', size: 22_478_000, tags: ['alpine', '1-alpine', '1.29-alpine'] },
  { version: '1.27.5', size: 20_985_918, tags: ['1.27-alpine'] },
  { version: '1.25.5', size: 18_006_000, tags: ['1.25-alpine'] },
];

export const nginxImages: readonly Image[] = VERSIONS.map(({ version, size, tags }) =>
  defineImage({
    names: tags.map((tag) => `nginx:${tag}`),
    sizeBytes: size,
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
  }),
);
