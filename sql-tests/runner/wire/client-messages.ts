/** A parameter of Bind: its text, its bytes in binary format, or NULL. */
export type Parameter =
  | { readonly format: 'text'; readonly text: string }
  | { readonly format: 'binary'; readonly bytes: Buffer }
  | { readonly format: 'null' };

export type Target = 'statement' | 'portal';

const targetLetters: Readonly<Record<Target, string>> = { statement: 'S', portal: 'P' };

/** Writes the messages of a client. Texts are sent in the session's `client_encoding`. */
export class MessageWriter {
  encoding: BufferEncoding = 'utf8';

  startup(parameters: ReadonlyMap<string, string>): Buffer {
    const pairs = [...parameters].flatMap(([name, value]) => [this.#text(name), this.#text(value)]);
    const body = Buffer.concat([int32(196608), ...pairs, Buffer.from([0])]);
    return Buffer.concat([int32(body.length + 4), body]);
  }

  query(sql: string): Buffer {
    return message('Q', this.#text(sql));
  }

  parse(name: string, sql: string, types: readonly number[]): Buffer {
    const oids = types.map((oid) => uint32(oid));
    return message('P', this.#text(name), this.#text(sql), int16(types.length), ...oids);
  }

  bind(
    portal: string,
    statement: string,
    options: { parameters: readonly Parameter[]; binaryResults: boolean },
  ): Buffer {
    const { parameters, binaryResults } = options;
    return message(
      'B',
      this.#text(portal),
      this.#text(statement),
      int16(parameters.length),
      ...parameters.map(({ format }) => int16(format === 'binary' ? 1 : 0)),
      int16(parameters.length),
      ...parameters.map((parameter) => this.#parameter(parameter)),
      int16(1),
      int16(binaryResults ? 1 : 0),
    );
  }

  describe(target: Target, name: string): Buffer {
    return message('D', Buffer.from(targetLetters[target]), this.#text(name));
  }

  close(target: Target, name: string): Buffer {
    return message('C', Buffer.from(targetLetters[target]), this.#text(name));
  }

  execute(portal: string, rowsMax: number): Buffer {
    return message('E', this.#text(portal), int32(rowsMax));
  }

  flush(): Buffer {
    return message('H');
  }

  sync(): Buffer {
    return message('S');
  }

  terminate(): Buffer {
    return message('X');
  }

  copyData(data: Buffer): Buffer {
    return message('d', data);
  }

  copyDone(): Buffer {
    return message('c');
  }

  copyFail(reason: string): Buffer {
    return message('f', this.#text(reason));
  }

  /** The bytes of a text as the server of this session reads them. */
  bytes(text: string): Buffer {
    return Buffer.from(text, this.encoding);
  }

  #parameter(parameter: Parameter): Buffer {
    if (parameter.format === 'null') return int32(-1);
    const bytes = parameter.format === 'text' ? this.bytes(parameter.text) : parameter.bytes;
    return Buffer.concat([int32(bytes.length), bytes]);
  }

  #text(text: string): Buffer {
    return Buffer.concat([this.bytes(text), Buffer.from([0])]);
  }
}

/** A cancel request; it travels on a connection of its own. */
export function cancelRequest(processId: number, secret: Buffer): Buffer {
  return Buffer.concat([int32(12 + secret.length), int32(80877102), int32(processId), secret]);
}

function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
