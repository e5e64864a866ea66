/** What `bring.ts` brings in, in one piece. */
export { agnhost } from './agnhost-program.ts';
export { nginx, nginxEntrypoint } from './nginx-program.ts';
export { oidcIssuer } from './oidc-issuer-program.ts';
export { python } from './python-program.ts';
export { redisCli, redisServer } from './redis-program.ts';
export { echoserver, hello, perl, phpApache } from './samples-programs.ts';
export { stress, vishStress } from './stress-programs.ts';
export { web } from './web-program.ts';
