/** `-o go-template` and its kin (cli-runtime genericclioptions/template_flags.go, printers/template.go). */
import type { ProgramContext } from '../../../linux/program.ts';
import type { Json } from '../../api/json.ts';
import { KubectlError } from '../errors.ts';
import { goQuote } from '../gostring.ts';
import { plain } from '../gotemplate/format.ts';
import { type GoTemplate, parseGoTemplate, TemplateFailure } from '../gotemplate/gotemplate.ts';
import type { JsonObject } from '../session.ts';
import { goJson } from './objects.ts';

/** Throws KubectlError for a template that is missing or cannot be read. The printer writes what it had and why it failed to standard output, as the real one does, and throws. */
export function templatePrinter(format: string, argument: string, allowMissing: boolean, self: ProgramContext): (object: JsonObject) => string {
  if (argument === '') throw new KubectlError('template format specified but no template given');
  let text = argument;
  if (format.endsWith('file')) {
    const path = argument.startsWith('/') ? argument : `${self.cwd}/${argument}`;
    if (!self.files.exists(path)) throw new KubectlError(`error reading --template ${argument}, open ${argument}: no such file or directory`);
    text = self.files.read(path);
  }
  let template: GoTemplate;
  try {
    template = parseGoTemplate(text, allowMissing);
  } catch (error) {
    throw new KubectlError(`error parsing template ${text}, ${(error as Error).message}\n`.replace(/\n$/, ''));
  }
  return (object) => {
    try {
      return template.execute(object);
    } catch (error) {
      if (!(error instanceof TemplateFailure)) throw error;
      self.stdout(
        `${error.written}Error executing template: ${error.message}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${text}\n\traw data was:\n\t\t${goJson(object as Json, 0)}\n\tobject given to template engine was:\n\t\t${plain(object)}\n\n`,
      );
      throw new KubectlError(`error executing template ${goQuote(text)}: ${error.message}`);
    }
  };
}
