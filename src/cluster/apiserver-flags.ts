/**
 * What the flags of kube-apiserver's static pod mean for the server: files named by them are read from the
 * container's own disk, so that what is not mounted is not there. Parsers come when a flag asks for one.
 */
import type { ApiServerOptions } from '../kubernetes/apiserver/apiserver.ts';
import type { ProgramContext } from '../linux/program.ts';

type FromFlags = Pick<
  ApiServerOptions,
  'audit' | 'authentication' | 'delegation' | 'anonymousAuth' | 'nodeAuthorizer' | 'encryption' | 'priorityAndFairness' | 'admissionPlugins' | 'betas'
>;

/** `--name=value` and `--name value`; a flag alone is `true`. */
export function flagsOf(argv: readonly string[]): ReadonlyMap<string, string> {
  const flags = new Map<string, string>();
  for (let i = 0; i < argv.length; i++) {
    const [, name, value] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(argv[i]!) ?? [];
    if (name === undefined) continue;
    const next = argv[i + 1];
    if (value !== undefined) flags.set(name, value);
    else if (next !== undefined && !next.startsWith('--')) flags.set(name, next);
    else flags.set(name, 'true');
  }
  return flags;
}

const list = (text: string | undefined): readonly string[] => (text ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));

const BETAS = ['resource.k8s.io/v1beta1', 'resource.k8s.io/v1beta2'];
/** Alphas, each with the gate that must be open besides. */
const ALPHAS: Readonly<Record<string, string>> = { 'admissionregistration.k8s.io/v1alpha1': 'MutatingAdmissionPolicy' };

/**
 * `--runtime-config`: `api/all`, `api/beta`, `api/alpha` and single versions, each `=true` or `=false`; what says more exactly what it means
 * wins (apiserver pkg/server/resourceconfig). Here simplified: what is on by default stays on. Throws for a version nobody knows.
 */
function betasOf(text: string | undefined, gates: string | undefined): ReadonlySet<string> {
  const values = new Map(list(text).map((pair) => [pair.split('=')[0] ?? '', pair.split('=')[1] ?? 'true']));
  for (const [name, value] of values)
    if (value !== 'true' && value !== 'false' && value !== '1' && value !== '0') throw new Error(`invalid value ${name}=${value}`);
  const isOn = (name: string): boolean | undefined => (values.has(name) ? values.get(name) === 'true' || values.get(name) === '1' : undefined);
  const open = new Set(
    list(gates)
      .filter((gate) => /=true$/i.test(gate))
      .map((gate) => gate.split('=')[0]),
  );
  const alphas = Object.entries(ALPHAS).filter(
    ([version, gate]) => (open.has(gate) || open.has('AllAlpha')) && (isOn(version) ?? isOn('api/alpha') ?? isOn('api/all')),
  );
  const betas = BETAS.filter((version) => isOn(version) ?? isOn('api/beta') ?? isOn('api/all') ?? false);
  return new Set([...betas, ...alphas.map(([version]) => version)]);
}

/** Rejects with the text kube-apiserver exits with. */
export async function optionsOfFlags(self: ProgramContext): Promise<FromFlags> {
  const flags = flagsOf(self.argv);
  const enable = list(flags.get('enable-admission-plugins'));
  const disable = list(flags.get('disable-admission-plugins'));
  const authorization = flags.get('authorization-mode');
  const files = ['audit-policy-file', 'encryption-provider-config', 'authentication-config', 'oidc-issuer-url', 'authorization-config'];
  const configured =
    [...files, 'authentication-token-webhook-config-file', 'authorization-webhook-config-file'].some((name) => flags.has(name)) ||
    list(authorization).some((mode) => mode !== 'Node' && mode !== 'RBAC');
  return {
    ...(enable.length + disable.length > 0 ? { admissionPlugins: { enable, disable } } : {}),
    ...(flags.has('runtime-config') ? { betas: betasOf(flags.get('runtime-config'), flags.get('feature-gates')) } : {}),
    ...(flags.get('anonymous-auth') === 'false' ? { anonymousAuth: false } : {}),
    ...(flags.get('enable-priority-and-fairness') === 'false' ? { priorityAndFairness: false } : {}),
    ...(authorization !== undefined && !list(authorization).includes('Node') ? { nodeAuthorizer: false } : {}),
    ...(configured ? await filesOfFlags(self, flags) : {}),
  };
}

async function filesOfFlags(self: ProgramContext, flags: ReadonlyMap<string, string>): Promise<FromFlags> {
  const { configurationOfFlags, createAuditor, Delegation, delegationOfFlags, parseYaml, readConfiguration, readEncryption, readPolicy } =
    await self.process.outside(import('./apiserver-files.ts'));
  const read = (path: string, what: string): unknown => {
    if (!self.files.exists(path)) throw new Error(`${what}: open ${path}: no such file or directory`);
    return parseYaml(self.files.read(path));
  };
  const policy = flags.get('audit-policy-file');
  const log = flags.get('audit-log-path');
  const encryption = flags.get('encryption-provider-config');
  const authentication = flags.get('authentication-config');
  const recognised =
    authentication === undefined ? configurationOfFlags(flags) : readConfiguration(read(authentication, 'failed to read authentication configuration'));
  const delegation = delegationOfFlags(flags, (path) => read(path, `stat ${path}`), recognised);
  const rules =
    policy === undefined ? undefined : readPolicy(read(policy, `loading audit policy file: failed to read file path ${JSON.stringify(policy)}`), policy);
  return {
    ...(rules && log !== undefined
      ? { audit: createAuditor(self.process, rules, (line) => (log === '-' ? self.stdout(line) : self.files.append(log, line))) }
      : {}),
    ...(encryption === undefined
      ? {}
      : {
          encryption: readEncryption(
            read(encryption, `error opening encryption provider configuration file ${JSON.stringify(encryption)}`),
            self.process.rng.fork('encryption'),
          ),
        }),
    ...(recognised ? { authentication: recognised } : {}),
    ...(delegation ? { delegation: (source) => new Delegation(source, { ...delegation, log: (message) => self.stdout(`${message}\n`) }) } : {}),
  };
}
