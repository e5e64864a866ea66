/** What `security.ts` brings in, in one piece. */
export { cleanToken, signClusterInfo } from './cluster-info.ts';
export { approveKubelet, signRequest } from './requests.ts';
export { fillTokenSecret } from './token-secret.ts';
