/** kubectl kustomize: a kustomization's objects on standard output or in files. */
import { KubectlError } from '../errors.ts';
import { bool, text } from '../flags.ts';
import { buildText } from '../kustomize/build.ts';
import { KustomizeError } from '../kustomize/resource.ts';
import type { Command } from './command.ts';

export const kustomize: Command = {
  summary: 'Build a kustomization target from a directory or URL',
  usage: 'kubectl kustomize DIR [flags] [options]',
  flags: {
    'as-current-user': bool(),
    'enable-alpha-plugins': bool(),
    'enable-helm': bool(),
    env: { type: 'strings', short: 'e' },
    'helm-api-versions': { type: 'strings' },
    'helm-command': text(undefined, 'helm'),
    'helm-debug': bool(),
    'helm-kube-version': text(),
    'load-restrictor': text(undefined, 'LoadRestrictionsRootOnly'),
    mount: { type: 'strings' },
    network: bool(),
    'network-name': text(undefined, 'bridge'),
    output: text('o'),
  },
  run: async (session, args) => {
    const { flags, self } = session;
    if (args.length > 1) throw new KubectlError('specify one path to kustomization.yaml');
    const restrictor = flags.text('load-restrictor');
    if (!['LoadRestrictionsRootOnly', 'LoadRestrictionsNone'].includes(restrictor))
      throw new KubectlError(`illegal flag value --load-restrictor ${restrictor}; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]`);
    let built: string;
    try {
      built = buildText(args[0] ?? '.', { files: self.files, cwd: self.cwd, unrestricted: restrictor === 'LoadRestrictionsNone', warn: session.err });
    } catch (error) {
      if (error instanceof KustomizeError) throw new KubectlError(error.message);
      throw error;
    }
    const output = flags.text('output');
    if (output === '') session.out(built);
    else {
      const path = output.startsWith('/') ? output : `${self.cwd}/${output}`;
      if (!self.files.exists(path) || !self.files.isDirectory(path)) self.files.write(path, built);
      else for (const [name, content] of filesOf(built)) self.files.write(`${path}/${name}`, content);
    }
  },
};

/** Into a folder goes one file an object: `apps_v1_deployment_web.yaml`. */
function filesOf(built: string): readonly (readonly [string, string])[] {
  return built.split(/^---\n/m).map((document) => {
    const word = (pattern: RegExp): string => pattern.exec(document)?.[1]?.replaceAll('"', '') ?? '';
    const [apiVersion, kind, name] = [word(/^apiVersion: (.*)$/m), word(/^kind: (.*)$/m), word(/^metadata:\n(?: {2}.*\n)*? {2}name: (.*)$/m)];
    return [`${apiVersion.replace('/', '_')}_${kind}_${name}.yaml`.toLowerCase(), document] as const;
  });
}
