/**
 * An OpenID Connect issuer, small enough to see through: it says who it is, shows its key, and signs an ID token for
 * whoever asks (`/token?user=jane&groups=dev,ops`). A program of this project; real issuers ask for a password first.
 *
 * Here simplified: TLS is not modelled, so port 443 speaks HTTP.
 */
import { serveHttp } from '../../../linux/http.ts';
import type { Program } from '../../../linux/program.ts';
import { defer } from '../../../sim/mailbox.ts';
import { openPki } from '../../api/pki/lazy.ts';
import { EPOCH_SECONDS } from '../../api/time.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** `--issuer=URL` (by default `https://` and the host it is asked by), `--port=443`, `--client-id=kubernetes`, `--ttl=3600`. */
export const oidcIssuer: Program = async (self) => {
  const flag = (name: string): string | undefined => self.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
  const { jwkOf, keyOf, signJwt } = await self.process.outside(openPki());
  const port = Number(flag('port') ?? 443);
  const clientId = flag('client-id') ?? 'kubernetes';
  serveHttp(self.sockets, port, ({ path, query, headers }) => {
    const issuer = flag('issuer') ?? `https://${headers['host'] ?? self.hostname}`;
    // Of one issuer all replicas sign with one key, and so does the next one after a restart.
    const key = keyOf(`oidc-issuer ${issuer}`);
    const json = (body: object) => ({ status: 200, headers: JSON_TYPE, body: `${JSON.stringify(body)}\n` });
    switch (path) {
      case '/.well-known/openid-configuration':
        return json({
          issuer,
          jwks_uri: `${issuer}/keys`,
          token_endpoint: `${issuer}/token`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['ES256'],
        });
      case '/keys':
        return json({ keys: [jwkOf(key)] });
      case '/token': {
        const { user, groups = '', ttl = flag('ttl') ?? '3600', aud = clientId } = query;
        if (!user)
          return { status: 400, headers: JSON_TYPE, body: '{"error":"invalid_request","error_description":"user is missing: /token?user=jane&groups=dev"}\n' };
        const now = EPOCH_SECONDS + Math.floor(self.process.clock.now() / 1_000_000);
        const claims = {
          iss: issuer,
          sub: user,
          aud,
          exp: now + Number(ttl),
          iat: now,
          email: user.includes('@') ? user : `${user}@example.com`,
          email_verified: true,
          groups: groups.split(',').filter((group) => group !== ''),
        };
        self.stdout(`issued a token for ${user}\n`);
        return { status: 200, headers: { 'content-type': 'text/plain' }, body: `${signJwt(key, claims)}\n` };
      }
      default:
        return { status: 404, body: '404 page not found\n' };
    }
  });
  self.stdout(`listening on :${port}\n`);
  const done = defer<number>(self.process.clock);
  self.onSignal((signal) => {
    if (signal === 'TERM' || signal === 'INT') done.resolve(0);
  });
  return done.promise;
};
