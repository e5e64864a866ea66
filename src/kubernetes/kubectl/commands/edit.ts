/** kubectl edit: the object in an editor, and what was changed as a patch (kubectl pkg/cmd/util/editor). */
import type { Json } from '../../api/json.ts';
import { ApiError, TransportError } from '../../api/request.ts';
import { dump, parseYaml, YamlError } from '../../api/yaml.ts';
import { resolveObjects, type Target } from '../builder.ts';
import { differenceOf, isEmpty, sendPatch } from '../change.ts';
import { ExitWith, KubectlError } from '../errors.ts';
import { bool, FILE_FLAGS, PRINT_FLAGS, text } from '../flags.ts';
import { goJson, withoutManagedFields } from '../printers/objects.ts';
import { ResultPrinter } from '../printers/result.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import { validation, withLastApplied } from './apply.ts';
import type { Command } from './command.ts';

type Found = Target & { readonly object: ObjectLike };

const HEADER = `# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
`;

export const edit: Command = {
  summary: 'Edit a resource on the server',
  usage: 'kubectl edit (RESOURCE/NAME | -f FILENAME) [options]',
  flags: {
    ...FILE_FLAGS,
    ...PRINT_FLAGS,
    'output-patch': bool(),
    'save-config': bool(),
    subresource: text(),
    validate: { type: 'string', bare: 'strict', default: 'strict' },
    'windows-line-endings': bool(),
    'field-manager': text(undefined, 'kubectl-edit'),
  },
  run: async (session, args) => {
    const { found, failures } = await resolveObjects(session, args);
    if (failures.length > 0) throw failures[0];
    if (found.length === 0) throw new KubectlError('edit cancelled, no objects found');
    await editAll(session, found);
  },
};

const shown = (found: readonly Found[]): string => {
  const objects = found.map(({ object }) => withoutManagedFields(object as JsonObject));
  return dump(objects.length === 1 ? objects[0]! : { apiVersion: 'v1', items: objects as unknown as Json, kind: 'List', metadata: {} });
};

/** What the header of a file opened again says of one object. */
export interface Reason {
  readonly head: string;
  readonly causes: readonly string[];
}

const commented = (text: string): string => text.replaceAll('\n', '\n# ');
export const headerFor = (reasons: readonly Reason[], header = HEADER): string =>
  header +
  reasons
    .map(({ head, causes }) => `# ${commented(head)}${causes.length > 0 ? ':' : ''}\n${causes.map((cause) => `# * ${commented(cause)}\n`).join('')}#\n`)
    .join('');

async function editAll(session: Session, found: readonly Found[]): Promise<void> {
  const original = shown(found);
  const byName = new Map(found.map((target) => [keyOf(target.object), target]));
  let body = original;
  let reasons: readonly Reason[] = [];
  let previous: string | undefined;
  for (;;) {
    const path = await editFile(session, headerFor(reasons) + body);
    const stripped = stripComments(session.self.files.read(path));
    // Saved again as it was refused: nothing will come of it.
    if (stripped === previous) throw kept(session, path, new KubectlError('Edit cancelled, no valid changes were saved.'));
    if (stripped === stripComments(original)) {
      session.self.files.remove(path);
      session.err('Edit cancelled, no changes made.\n');
      return;
    }
    if (stripped.trim() === '') {
      session.self.files.remove(path);
      session.err('Edit cancelled, saved file was empty.\n');
      return;
    }
    previous = body = stripped;
    let objects: readonly ObjectLike[];
    try {
      objects = objectsOf(stripped);
      for (const { apiVersion, kind } of objects)
        if (!(await session.discovery.byKind(apiVersion, kind)))
          throw new KubectlError(`unable to recognize "edited-file": no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`);
    } catch (error) {
      if (!(error instanceof YamlError) && !(error instanceof KubectlError)) throw error;
      reasons = [{ head: `The edited file had a syntax error: ${error.message}`, causes: [] }];
      continue;
    }
    const outcome = await saveAll(session, byName, objects).catch((error: unknown) => {
      throw kept(session, path, error);
    });
    if (outcome.retryable) {
      session.err(`You can run \`kubectl replace -f ${path}\` to try this update again.\n`);
      throw new ExitWith(1);
    }
    if (outcome.gone) {
      session.err(`The edits you made on deleted resources have been saved to ${JSON.stringify(path)}\n`);
      throw new ExitWith(1);
    }
    reasons = outcome.reasons;
    if (reasons.length === 0) {
      session.self.files.remove(path);
      return;
    }
  }
}

interface Outcome {
  /** Of the objects that are invalid, and can be edited again on the spot. */
  readonly reasons: readonly Reason[];
  readonly gone: boolean;
  readonly retryable: boolean;
}

/** Saves what was changed; says of each refusal what it was. Rejects when an object is another than those opened. */
async function saveAll(session: Session, byName: ReadonlyMap<string, Found>, objects: readonly ObjectLike[]): Promise<Outcome> {
  const reasons: Reason[] = [];
  let gone = false;
  let retryable = false;
  for (const object of objects) {
    const target = byName.get(keyOf(object));
    if (!target) throw new KubectlError('At least one of apiVersion, kind and name was changed');
    try {
      await save(session, target, object);
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof TransportError)) throw error;
      const { resource, group } = target.info;
      const name = `${resource}${group === '' ? '' : `.${group}`} ${JSON.stringify(target.name)}`;
      const status = error instanceof ApiError ? error.status : undefined;
      if (status?.reason === 'Invalid') {
        reasons.push({ head: `${name} was not valid`, causes: (status.details?.causes ?? []).map((cause) => `${cause.field ?? ''}: ${cause.message ?? ''}`) });
        session.err(`error: ${name} is invalid\n`);
      } else if (status?.reason === 'NotFound') {
        gone = true;
        session.err(`error: ${name} could not be found on the server\n`);
      } else {
        retryable = true;
        session.err(`error: ${name} could not be patched: ${error.message}\n`);
      }
    }
  }
  return { reasons, gone, retryable };
}

/** An error that leaves the edited file behind. */
export function kept(session: Session, path: string, error: unknown): unknown {
  session.err(`A copy of your changes has been stored to ${JSON.stringify(path)}\n`);
  return error;
}

const keyOf = (object: ObjectLike): string => `${object.apiVersion} ${object.kind} ${object.metadata?.namespace ?? ''}/${object.metadata?.name ?? ''}`;
export const stripComments = (body: string): string =>
  body
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n');

function objectsOf(body: string): readonly ObjectLike[] {
  const value = parseYaml(body);
  if (!isObject(value)) throw new KubectlError('the edited file holds no object');
  return value['kind'] === 'List' && Array.isArray(value['items']) ? (value['items'] as unknown as readonly ObjectLike[]) : [value as unknown as ObjectLike];
}

async function save(session: Session, target: Found, edited: ObjectLike): Promise<void> {
  const before = withoutManagedFields(target.object as JsonObject) as unknown as ObjectLike;
  const after = session.flags.bool('save-config') ? withLastApplied(edited) : edited;
  const { kind, patch } = differenceOf(target, before, after);
  const printer = new ResultPrinter(session);
  if (isEmpty(patch)) {
    printer.print(target.info, target.object, 'skipped');
    return;
  }
  if (session.flags.bool('output-patch')) session.out(`Patch: ${goJson(patch as Json, 0)}\n`);
  const query = validation(session);
  const result = await sendPatch(session, target, kind, patch as Json, {
    manager: 'kubectl-edit',
    subresource: session.flags.text('subresource') || undefined,
    query: { ...query },
  });
  printer.print(target.info, result, 'edited');
}

/** KUBE_EDITOR, EDITOR, vi; one with quotes in it goes through the shell (editor.go's defaultEnvEditor). */
function editorCommand(env: Readonly<Record<string, string>>): { readonly command: readonly string[]; readonly shell: boolean } {
  const editor = env['KUBE_EDITOR'] || env['EDITOR'] || 'vi';
  if (!editor.includes(' ')) return { command: [editor], shell: false };
  if (!/["'\\]/.test(editor)) return { command: editor.split(' '), shell: false };
  return { command: [env['SHELL'] || '/bin/bash', '-c', editor], shell: true };
}

/** Writes the text to a file of its own and has it edited; returns the file. */
export async function editFile(session: Session, body: string, extension = 'yaml'): Promise<string> {
  const { self } = session;
  let path: string;
  do path = `/tmp/kubectl-edit-${self.process.rng.between(1_000_000_000, 4_294_967_295)}.${extension}`;
  while (self.files.exists(path));
  self.files.write(path, body);
  const { command, shell } = editorCommand(self.env);
  const argv = shell ? [...command.slice(0, -1), `${command.at(-1)} ${JSON.stringify(path)}`] : [...command, path];
  const missing: string[] = [];
  const code = await self.run(argv, { stderr: (piece) => missing.push(piece) });
  if (code === 127 && !shell) {
    self.files.remove(path);
    throw new KubectlError(`unable to launch the editor ${JSON.stringify(command.join(' '))}`);
  }
  for (const piece of missing) session.err(piece);
  if (code !== 0) {
    self.files.remove(path);
    throw new KubectlError(`there was a problem with the editor ${JSON.stringify(command.join(' '))}`);
  }
  return path;
}
