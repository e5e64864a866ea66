/** The unsaved text: kept over closing the dock and over a reload of the tab. */
const KEY = 'orrery.manifest';
/** Storage holds about 5 million characters for everything; a bigger text lives only as long as the page. */
const LONGEST = 1_500_000;

let text: string | undefined;
/** What the text was when it last came from elsewhere (an example, the cluster): until it is edited it may be replaced unasked. */
let untouched = '';
/** The same, where it came unasked: the selected object. */
let followed = '';
let timer: ReturnType<typeof setTimeout> | undefined;

export const draft = {
  get text(): string {
    if (text === undefined) {
      try {
        text = sessionStorage.getItem(KEY) ?? '';
      } catch {
        text = '';
      }
    }
    return text;
  },
  keep(next: string): void {
    text = next;
    clearTimeout(timer);
    timer = setTimeout(() => draft.save(), 400);
  },
  save(): void {
    clearTimeout(timer);
    try {
      if (text === undefined || text === '' || text.length > LONGEST) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, text);
    } catch {
      // No storage, or full: the text is still in the page.
    }
  },
  loaded(from: string, unasked: boolean): void {
    untouched = from;
    followed = unasked ? from : '';
  },
  /** Nothing would be lost, and nobody chose what is there: it may follow the selection. */
  get mayFollow(): boolean {
    return draft.text.trim() === '' || draft.text === followed;
  },
  get isUntouched(): boolean {
    return draft.text.trim() === '' || draft.text === untouched;
  },
};
addEventListener('pagehide', () => draft.save());
