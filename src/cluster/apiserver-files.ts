/** What `apiserver-flags.ts` brings in, in one piece. */
export { parseYaml } from '../kubernetes/api/yaml.ts';
export { createAuditor } from '../kubernetes/apiserver/audit/audit.ts';
export { readPolicy } from '../kubernetes/apiserver/audit/policy.ts';
export { configurationOfFlags, readConfiguration } from '../kubernetes/apiserver/authentication/configuration.ts';
export { Delegation } from '../kubernetes/apiserver/authorization/delegation.ts';
export { delegationOfFlags } from '../kubernetes/apiserver/authorization/from-flags.ts';
export { readEncryption } from '../kubernetes/apiserver/encryption/encryption.ts';
