/** What `lazy.ts` brings in, in one piece. */
export { userOfCertificate } from './certificate.ts';
export { userOfForeignToken } from './foreign-token.ts';
export { approved, checkRequest, fillRequest } from './signing-request.ts';
