/** How etcdctl ends (etcd pkg/cobrautl/error.go): a sentence after `Error: `, and a code that says what kind of failure it was. */
export const ExitCode = { Error: 1, BadConnection: 2, InvalidInput: 3, BadFeature: 4, Interrupted: 5, IO: 6, BadArgs: 128 } as const;

export class CtlError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = 'CtlError';
  }
}

export const badArgs = (message: string): CtlError => new CtlError(ExitCode.BadArgs, message);

/** Ends with a code and no further text. */
export class Ended extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}
