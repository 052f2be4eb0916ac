/** A command of a shell script, without the variables that are set for it alone. */
export interface ShellCommand {
  program: string;
  args: string[];
}

/** The commands of a script as guides have them: one after the other, by lines, `&&` and `|`. */
export function shellCommands(script: string): ShellCommand[] {
  return script
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => commandsOf(wordsOf(line)))
    .filter(({ program }) => program !== '');
}

/** Quoted text is one word, and so is what readers put in place of `<the code>`; what follows a `#` is a comment. */
function wordsOf(line: string): string[] {
  const words = line.replace(/<[\w ]+>/g, 'placeholder').match(/#.*|(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.filter((word) => !word.startsWith('#')).map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

function commandsOf(words: string[]): ShellCommand[] {
  const separator = words.findIndex((word) => word === '&&' || word === '|');
  if (separator >= 0) return [...commandsOf(words.slice(0, separator)), ...commandsOf(words.slice(separator + 1))];
  const [program = '', ...args] = words.slice(words.findLastIndex(isAssignment) + 1);
  return [{ program, args }];
}

const isAssignment = (word: string): boolean => /^(export|[A-Za-z_]\w*=.*)$/.test(word);
