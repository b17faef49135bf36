import { countUpTo, needed, oneOf, onOff, secret, text } from './option-values.ts';
import type { OptionSpec } from './options.ts';

/**
 * The options of each type of connector. The nodes write them to `heliosdb.connector_options`, by
 * which the procedures judge what is called directly; docs/reference has a page for each type.
 */
type Options = Readonly<Record<string, OptionSpec>>;

/** Of every type. */
const common: Options = {
  batch_size: countUpTo(100_000),
  checkpoint_interval: countUpTo(1_000_000),
};

const kafka: Options = {
  ...common,
  brokers: text("hosts with ports, such as 'kafka-1:9092, kafka-2:9092'"),
  topic: text('a topic, which may have {database}, {schema} and {table} in it'),
  client_id: text('a name'),
  compression: oneOf('none', 'gzip'),
  tls: onOff,
  tls_ca: text("the path of a file with certificates, such as '/etc/ssl/kafka.pem'"),
  sasl_mechanism: oneOf('plain', 'scram-sha-256', 'scram-sha-512'),
  sasl_username: text('a name'),
  sasl_password: secret('a password'),
};

const redis: Options = {
  ...common,
  url: secret("the URL of a server, such as 'redis://cache:6379/0'"),
  stream: text('the key of a stream, which may have {database}, {schema} and {table} in it'),
  maxlen: countUpTo(1_000_000_000),
};

const http: Options = {
  ...common,
  url: needed(secret("a URL, such as 'https://example.com/changes'")),
  secret: secret('what requests are signed with'),
};

const file: Options = {
  ...common,
  directory: needed(text("a directory, such as '/var/spool/changes'")),
};

export const connectorOptions: ReadonlyMap<string, ReadonlyMap<string, OptionSpec>> = new Map(
  Object.entries({ kafka, redis, http, file }).map(([type, options]) => [
    type,
    new Map(Object.entries(options)),
  ]),
);

/** Where the type is not known yet: what an option of this name can be in any of them. */
export const anyConnectorOptions: ReadonlyMap<string, OptionSpec> = new Map(
  [...connectorOptions.values()].flatMap((options) => [...options]),
);
