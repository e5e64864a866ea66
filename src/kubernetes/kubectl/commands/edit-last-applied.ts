/** kubectl apply edit-last-applied: the remembered configuration in an editor (kubectl pkg/cmd/util/editor, ApplyEditMode). */
import type { Json } from '../../api/json.ts';
import { LAST_APPLIED } from '../../api/three-way.ts';
import { dump, parseYaml, YamlError } from '../../api/yaml.ts';
import { resolveObjects, type Target } from '../builder.ts';
import { pathOf } from '../discovery.ts';
import { KubectlError } from '../errors.ts';
import { bool, FILE_FLAGS, PRINT_FLAGS, text } from '../flags.ts';
import { goJson } from '../printers/objects.ts';
import { ResultPrinter } from '../printers/result.ts';
import { isObject, type ObjectLike, type Session } from '../session.ts';
import { validation } from './apply.ts';
import type { Command } from './command.ts';
import { editFile, headerFor, kept, type Reason, stripComments } from './edit.ts';

const HEADER = `# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
`;

export const editLastApplied: Command = {
  summary: 'Edit latest last-applied-configuration annotations of a resource/object',
  usage: 'kubectl apply edit-last-applied (RESOURCE/NAME | -f FILENAME) [options]',
  flags: {
    ...FILE_FLAGS,
    ...PRINT_FLAGS,
    validate: { type: 'string', bare: 'strict', default: 'strict' },
    'windows-line-endings': bool(),
    'field-manager': text(undefined, 'kubectl-client-side-apply'),
  },
  run,
};

type Remembered = Target & { readonly object: ObjectLike };

async function run(session: Session, args: readonly string[]): Promise<void> {
  const { found, failures } = await resolveObjects(session, args);
  if (failures.length > 0) throw failures[0];
  const remembered = found.flatMap((target): readonly Remembered[] => {
    const last = target.object.metadata.annotations?.[LAST_APPLIED];
    return last === undefined ? [] : [{ ...target, object: JSON.parse(last) as ObjectLike }];
  });
  if (remembered.length === 0)
    throw new KubectlError(
      'no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`',
    );
  const json = session.flags.text('output') === 'json';
  const objects = remembered.map(({ object }) => object as unknown as Json);
  const shown: Json = objects.length === 1 ? objects[0]! : { apiVersion: 'v1', items: objects, kind: 'List', metadata: {} };
  const original = json ? `${goJson(shown)}\n` : dump(shown);
  let body = original;
  let reasons: readonly Reason[] = [];
  let previous: string | undefined;
  for (;;) {
    const path = await editFile(session, (json ? '' : headerFor(reasons, HEADER)) + body, json ? 'json' : 'yaml');
    const stripped = stripComments(session.self.files.read(path));
    if (stripped === previous) throw kept(session, path, new KubectlError('Edit cancelled, no valid changes were saved.'));
    if (stripped === stripComments(original)) {
      session.self.files.remove(path);
      session.err('Edit cancelled, no changes made.\n');
      return;
    }
    previous = body = stripped;
    let edited: readonly ObjectLike[];
    try {
      edited = objectsOf(stripped);
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      reasons = [{ head: `The edited file had a syntax error: ${error.message}`, causes: [] }];
      continue;
    }
    const unset = edited.map(({ apiVersion, kind }) => (!apiVersion ? 'apiVersion' : !kind ? 'kind' : '')).find((field) => field !== '');
    if (unset !== undefined) {
      const { info, name } = remembered[0]!;
      const shownName = `${info.resource}${info.group === '' ? '' : `.${info.group}`} ${JSON.stringify(name)}`;
      reasons = [{ head: `${shownName} was not valid`, causes: [`<nil>: Invalid value: "The edited file failed validation": ${unset} not set`] }];
      session.err(`error: ${shownName} is invalid\n`);
      continue;
    }
    try {
      await save(session, remembered, edited);
    } catch (error) {
      throw kept(session, path, error);
    }
    session.self.files.remove(path);
    return;
  }
}

function objectsOf(body: string): readonly ObjectLike[] {
  const value = parseYaml(body);
  // Nothing at all is an object without a kind.
  if (!isObject(value)) return [{} as ObjectLike];
  return value['kind'] === 'List' && Array.isArray(value['items']) ? (value['items'] as unknown as readonly ObjectLike[]) : [value as unknown as ObjectLike];
}

/** Upstream finds an object's original by its UID; remembered configurations have none, so each is compared with the first. */
async function save(session: Session, [first]: readonly Remembered[], edited: readonly ObjectLike[]): Promise<void> {
  const printer = new ResultPrinter(session);
  const before = goJson(first!.object as unknown as Json, 0);
  for (const object of edited) {
    const info = await session.discovery.byKind(object.apiVersion, object.kind);
    if (!info)
      throw new KubectlError(
        `unable to recognize "edited-file": no matches for kind ${JSON.stringify(object.kind)} in version ${JSON.stringify(object.apiVersion)}`,
      );
    const written = goJson(object as unknown as Json, 0);
    if (written === before) {
      printer.print(info, object, 'skipped');
      continue;
    }
    await session.request('PATCH', pathOf(info, info.namespaced ? (object.metadata.namespace ?? session.namespace) : '', object.metadata.name), {
      query: { fieldManager: session.flags.text('field-manager'), ...validation(session) },
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [LAST_APPLIED]: `${written}\n` } } },
    });
    printer.print(info, object, 'edited');
  }
}
