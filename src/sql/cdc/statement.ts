/** A stretch of the client's text, in UTF-16 units. */
export type Span = { readonly start: number; readonly end: number };

/** What the grammars of the statements on change data capture make of a text. */
export type CdcStatement =
  | ShowCdcEvents
  | ShowCdcView
  | AlterCdcCapture
  | CreateCdcConnector
  | AlterCdcConnector
  | DropCdcConnector
  | ShowCdcConnectors;

export type ShowCdcEvents = {
  readonly stem: 'show-cdc-events';
  /** As it was written, without blanks and comments. */
  readonly table: { readonly name: string; readonly span: Span } | undefined;
  readonly where: Span | undefined;
  readonly since: { readonly lsn: bigint; readonly span: Span } | undefined;
  /** Undefined: LIMIT ALL. */
  readonly limit: bigint | undefined;
  readonly follows: boolean;
};

export type CdcView = 'status' | 'tables' | 'readers';

export type ShowCdcView = { readonly stem: 'show-cdc-status'; readonly view: CdcView };

export type AlterCdcCapture = { readonly stem: 'alter-cdc-capture' } & CaptureAction;

export type CaptureAction =
  | { readonly action: 'enable' | 'disable' | 'resume' }
  /** A null goes back to the default. */
  | { readonly action: 'set'; readonly options: Readonly<Record<string, string | null>> }
  /** Quoted names, schema and table and column joined by dots. */
  | { readonly action: 'exclude' | 'include'; readonly columns: readonly string[] };

/** A text, or where a secret is. */
export type OptionValue = string | { readonly env: string } | { readonly file: string };

export type CreateCdcConnector = {
  readonly stem: 'create-cdc-connector';
  readonly name: string;
  readonly type: string;
  /** IF NOT EXISTS. */
  readonly isQuiet: boolean;
  /** Undefined: all. */
  readonly tables: readonly TableChoice[] | undefined;
  readonly options: Readonly<Record<string, OptionValue>>;
};

export type TableChoice = {
  /** Its names, quoted and joined by dots. */
  readonly table: string;
  /** Undefined: all. */
  readonly columns: readonly string[] | undefined;
};

export type AlterCdcConnector = {
  readonly stem: 'alter-cdc-connector';
  readonly name: string;
  /** IF EXISTS. */
  readonly isQuiet: boolean;
} & ConnectorAction;

export type ConnectorAction =
  | { readonly action: 'enable' | 'disable' | 'resume' }
  /** A null goes back to the default. */
  | { readonly action: 'set'; readonly options: Readonly<Record<string, OptionValue | null>> }
  | { readonly action: 'replay'; readonly lsn: bigint };

export type DropCdcConnector = {
  readonly stem: 'drop-cdc-connector';
  readonly name: string;
  readonly isQuiet: boolean;
};

export type ShowCdcConnectors = {
  readonly stem: 'show-cdc-connectors';
  /** Undefined: all. */
  readonly name: string | undefined;
};

export type CdcStem = CdcStatement['stem'];
