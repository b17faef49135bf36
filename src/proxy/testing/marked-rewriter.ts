import type {
  ErrorRewrite,
  PositionMap,
  Probe,
  Rewrite,
  RewriteInput,
  Rewriter,
} from '../../contracts/rewriter.ts';

/**
 * Stands in for the lowering in tests of the proxy: claims texts that hold marked calls and does
 * with each what its name says, so that a test can ask for every kind of answer at every place.
 * - `tumble(...)` is sent as `abs(...)` behind a comment, so positions move.
 * - `tumble_start(...)` probes its statement first, with `abs(...)` in its place.
 * - `hop(...)` is refused with 22023, provoked in parse analysis.
 * - `hop_end(...)` is refused when it runs: division by zero becomes 22023.
 * - `tumble_end(...)` is probed with a survey, the text between `survey` and `end` if there is one.
 * - `session(...)` probes a text that cannot be analysed.
 * - `lowered` changes the command tag of each statement to `LOWERED n`.
 */
export class MarkedRewriter implements Rewriter {
  readonly inputs: RewriteInput[] = [];

  async rewrite(input: RewriteInput): Promise<Rewrite> {
    this.inputs.push(input);
    const { text, discovery } = input;
    if (text.includes('tumble_start(')) {
      if (discovery.kind !== 'possible') return lowered(text, /tumble_start\(/g, 'abs(');
      const statement = text.split(';').find((one) => one.includes('tumble_start(')) ?? text;
      return probe(statement.replaceAll('tumble_start(', 'abs('));
    }
    if (text.includes('tumble_end(')) {
      if (discovery.kind !== 'possible') return lowered(text, /tumble_end\(/g, 'abs(');
      const survey = /survey (.*) end/.exec(text)?.[1] ?? "SELECT 'é' || current_user";
      return { ...probe('SELECT abs(1)'), survey };
    }
    if (text.includes('session(')) {
      if (discovery.kind === 'possible') return probe('SELECT /* longer */ nothing_of_the_kind');
      return lowered(text, /session\(\)/g, 'nothing_of_the_kind');
    }
    if (text.includes('hop_end(')) return lowered(text, /hop_end\(\)/g, '(1 / 0)', runTimeRefusal);
    if (text.includes('hop(')) return lowered(text, /hop\(\)/g, 'heliosdb_refused', refusal(text));
    if (text.includes('tumble(')) return lowered(text, /tumble\(/g, '/* moved */ abs(');
    if (/\blowered\b/.test(text)) {
      const tags = text.split(';').map((_, i) => ({ statement: i, tag: `LOWERED ${i}` }));
      return { ...lowered(text, /\blowered\b/g, 'as_it_is'), tags };
    }
    return { kind: 'pass' };
  }
}

export const refusalHint = 'Use a size greater than zero.';

const runTimeRefusal: readonly ErrorRewrite[] = [
  {
    when: { code: '22012', routine: 'int4div' },
    fields: { code: '22023', message: 'window size must be positive', hint: refusalHint },
  },
];

function refusal(text: string): readonly ErrorRewrite[] {
  return [
    {
      when: { code: '42703', messageIncludes: 'heliosdb_refused' },
      fields: {
        code: '22023',
        message: 'window size must be positive',
        detail: 'The size given is -1.',
        hint: refusalHint,
        position: [...text.slice(0, text.indexOf('hop('))].length + 1,
      },
    },
  ];
}

function probe(text: string): Probe {
  return {
    kind: 'probe',
    text,
    parameterTypes: [],
    positions: [{ sent: 0, client: 6, copied: false }],
  };
}

function lowered(
  text: string,
  pattern: RegExp,
  replacement: string,
  errors: readonly ErrorRewrite[] = [],
): Extract<Rewrite, { kind: 'send' }> {
  const positions: { sent: number; client: number; copied: boolean }[] = [];
  let sentText = '';
  let from = 0;
  const copy = (to: number): void => {
    if (to === from) return;
    positions.push({
      sent: lengthOf(sentText),
      client: lengthOf(text.slice(0, from)),
      copied: true,
    });
    sentText += text.slice(from, to);
  };
  for (const match of text.matchAll(pattern)) {
    copy(match.index);
    positions.push({
      sent: lengthOf(sentText),
      client: lengthOf(text.slice(0, match.index)),
      copied: false,
    });
    sentText += replacement;
    from = match.index + match[0].length;
  }
  copy(text.length);
  return {
    kind: 'send',
    text: sentText,
    positions: positions satisfies PositionMap,
    errors,
    tags: [],
    loweredStatements: 1,
  };
}

/** In characters, as error positions count. */
function lengthOf(text: string): number {
  return [...text].length;
}
