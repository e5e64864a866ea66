/** What a command that changed something says: `deployment.apps/web configured`, or the object as -o asks. */

import { type ResourceInfo, shownName } from '../discovery.ts';
import { KubectlError } from '../errors.ts';
import type { JsonObject, ObjectLike, Session } from '../session.ts';
import { type ObjectPrinter, objectPrinter } from './objects.ts';
import { asTyped } from './typed.ts';

export type DryRun = 'none' | 'client' | 'server';

export function dryRunOf(session: Session): DryRun {
  const value = session.flags.text('dry-run') || 'none';
  switch (value) {
    case 'none':
    case 'false':
      return 'none';
    case 'client':
    case 'true':
      return 'client';
    case 'server':
      return 'server';
    case 'unchanged':
      throw new KubectlError('--dry-run flag without a value was specified. A value must be set: "none", "server", or "client".');
    default:
      throw new KubectlError(`Invalid dry-run value (${value}). Must be "none", "server", or "client".`);
  }
}

/** Query parameters of a write. */
export const writeQuery = (session: Session, manager: string, dryRun: DryRun): Record<string, string> => ({
  // The default a flag shows is that of the verb; some ways of doing it have one of their own.
  fieldManager: (session.flags.has('field-manager') && session.flags.text('field-manager')) || manager,
  ...(dryRun === 'server' ? { dryRun: 'All' } : {}),
});

export class ResultPrinter {
  private readonly printer: ObjectPrinter | undefined;
  private readonly suffix: string;
  constructor(
    private readonly session: Session,
    dryRun: DryRun = 'none',
  ) {
    this.printer = session.flags.text('output') === 'name' ? undefined : objectPrinter(session);
    this.suffix = dryRun === 'client' ? ' (dry run)' : dryRun === 'server' ? ' (server dry run)' : '';
  }

  print(info: ResourceInfo, object: JsonObject, operation: string): void {
    if (this.printer) this.session.out(this.printer(object));
    else {
      const name = String((object['metadata'] as JsonObject | undefined)?.['name'] ?? '');
      this.session.out(`${shownName(info, name)}${this.session.flags.text('output') === 'name' ? '' : ` ${operation}${this.suffix}`}\n`);
    }
  }

  /** The same for an object that upstream holds in a Go struct: one kubectl made, or the server's answer to it. */
  printTyped(info: ResourceInfo, object: ObjectLike, operation: string): void {
    if (this.printer) this.session.out(this.printer(asTyped(object), true));
    else this.print(info, object, operation);
  }

  /** Whole objects are printed, so several of them are wanted as one list. */
  get whole(): boolean {
    return this.printer !== undefined;
  }
}
