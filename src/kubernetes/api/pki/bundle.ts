/** What `lazy.ts` brings in, in one piece. */
export { authorityCertificate, ClusterPki, PKI_FILES, signWithClusterAuthority } from './authority.ts';
export { base64, base64url, binary, fromBase64, fromBinary, pemBlocks, textOf, utf8 } from './bytes.ts';
export { type JsonWebKey, jwkOf, readJwt, signJwt, verifyJwt } from './jwt.ts';
export { keyOf, privatePem, publicPem, readPrivateKey } from './keys.ts';
export { type Certificate, certificatePem, issue, type Request, readCertificates, readRequest, requestPem, signedBy } from './x509.ts';
