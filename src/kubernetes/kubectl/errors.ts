/** What kubectl prints when something fails, and its exit code: `checkErr` and `StandardErrorMessage` of kubectl pkg/cmd/util/helpers.go. */
import { ApiError, TransportError } from '../api/request.ts';

/** An error of kubectl's own: printed after `error: `. */
export class KubectlError extends Error {
  constructor(
    message: string,
    readonly code = 1,
  ) {
    super(message);
    this.name = 'KubectlError';
  }
}

/** `error: …` and where to read on. */
export const usageError = (command: string, message: string): KubectlError => new KubectlError(`${message}\nSee '${command} -h' for help and examples`);

/** Several errors at once; printed one per line, the exit code is 1. Its message is theirs, as utilerrors.Aggregate's: one bare, several in brackets. */
export class AggregateFailure extends Error {
  constructor(readonly errors: readonly unknown[]) {
    const messages = [...new Set(errors.map((one) => (one instanceof Error ? one.message : String(one))))];
    super(messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`);
  }
}

/** Ends the command with a code and no further text (`command terminated with exit code 3` was printed already). */
export class ExitWith extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

/** Puts `error when creating "x.yaml": ` before what the server said. */
export function withSource(error: unknown, doing: string, source: string | undefined): unknown {
  if (!(error instanceof ApiError) || source === undefined || source === '') return error;
  return new ApiError({ ...error.status, message: `error when ${doing} ${JSON.stringify(source)}: ${error.status.message ?? ''}` });
}

export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status.code === 404;

/** The text for standard error, newline included, and the exit code. `server` is host:port as in the kubeconfig. */
export function describeError(error: unknown, server: string): { readonly text: string; readonly code: number } {
  if (error instanceof ExitWith) return { text: '', code: error.code };
  if (error instanceof AggregateFailure) return { text: error.errors.map((one) => `${messageFor(one, server)}\n`).join(''), code: 1 };
  if (error instanceof KubectlError) return { text: `${error.message.startsWith('error: ') ? '' : 'error: '}${error.message}\n`, code: error.code };
  if (error instanceof TransportError) return { text: `${transportMessage(error, server)}\n`, code: 1 };
  if (error instanceof ApiError) return { text: apiMessage(error), code: 1 };
  return { text: `error: ${error instanceof Error ? error.message : String(error)}\n`, code: 1 };
}

/** One of several errors: without `error: `, and an object refused as the server words it (messageForError). */
function messageFor(error: unknown, server: string): string {
  if (error instanceof ApiError && error.status.reason === 'Invalid') return `Error from server (Invalid): ${error.status.message ?? ''}`;
  if (error instanceof ApiError || error instanceof TransportError) return errorText(error, server);
  return error instanceof Error ? error.message : String(error);
}

/** What one error says without the newline. */
export const errorText = (error: unknown, server: string): string => describeError(error, server).text.trimEnd();

function transportMessage(error: TransportError, server: string): string {
  if (/connection refused/.test(error.message)) return `The connection to the server ${server} was refused - did you specify the right host or port?`;
  return `Unable to connect to the server: ${error.message}`;
}

function apiMessage(error: ApiError): string {
  const { status } = error;
  if (status.reason === 'Invalid') {
    const { details } = status;
    if (!details) return 'The request is invalid\n';
    let prefix = 'The request is invalid';
    if (details.kind || details.name) prefix = `The ${details.kind ?? ''} ${JSON.stringify(details.name ?? '')} is invalid`;
    else if (status.message && !details.causes?.length) prefix = `The request is invalid: ${status.message}`;
    const causes = [...new Set((details.causes ?? []).map((cause) => `${cause.field ?? ''}: ${cause.message}`))];
    if (causes.length === 0) return `${prefix}\n`;
    if (causes.length === 1) return `${prefix}: ${causes[0]}\n`;
    return `${prefix}: \n${causes.map((cause) => `* ${cause}\n`).join('')}`;
  }
  if (status.reason === 'Unauthorized') return `error: You must be logged in to the server (${status.message || 'Unauthorized'})\n`;
  if (status.reason) return `Error from server (${status.reason}): ${status.message ?? ''}\n`;
  return `Error from server: ${status.message ?? `HTTP ${status.code}`}\n`;
}
