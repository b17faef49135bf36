import { sinkDenied, sinkFailed, sinkUnreachable } from '../../../../core/errors/connectors.ts';
import type { PgError } from '../../../../core/errors/pg-error.ts';

/** What kafkajs throws, in our words. */
export function kafkaFailure(brokers: string, error: unknown): PgError {
  const cause = rootOf(error);
  const { name, type } = cause as { readonly name?: string; readonly type?: string };
  if (name === 'KafkaJSSASLAuthenticationError') {
    return sinkDenied(
      `Kafka at ${brokers} refused the user name or password`,
      cause,
      'Mend sasl_mechanism, sasl_username and sasl_password with ALTER CDC CONNECTOR ... SET.',
    );
  }
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') {
    return sinkFailed(`Kafka at ${brokers} does not take a change as large as this`, cause, {
      hint: 'Raise max.message.bytes of the topic, or leave the large column out.',
    });
  }
  if (type === 'TOPIC_AUTHORIZATION_FAILED' || type === 'CLUSTER_AUTHORIZATION_FAILED') {
    return sinkDenied(
      `Kafka at ${brokers} does not let this user write there`,
      cause,
      'Give it WRITE on the topics, CREATE where they are new, and IDEMPOTENT_WRITE.',
    );
  }
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return sinkFailed(`Kafka at ${brokers} has no such topic`, cause, {
      hint: 'Make it, or set auto.create.topics.enable on the brokers.',
    });
  }
  if (/Connection|Broker|Timeout/.test(name ?? '')) {
    return sinkUnreachable(
      `could not reach Kafka at ${brokers}`,
      cause,
      'Start it, or mend option brokers; it is tried again, and nothing is lost.',
    );
  }
  return sinkFailed(`Kafka at ${brokers} did not take the changes`, cause, {
    hint: 'It is tried again, and nothing is lost.',
  });
}

/** Behind the error that says how often it was tried. */
function rootOf(error: unknown): unknown {
  const { cause, name } = error as { readonly cause?: unknown; readonly name?: string };
  return name === 'KafkaJSNumberOfRetriesExceeded' && cause !== undefined ? rootOf(cause) : error;
}
