import { InvalidArgumentError, Option, type Command } from 'commander';
import { withValue } from '../config/layers.ts';
import { jsonSchemaOf, SETTING_FLAGS } from '../config/schema.ts';
import type { SettingFlag } from '../settings/flags.ts';
import { nonNegativeNumber, positiveInteger, positiveNumber, wholeNumber } from './options.ts';

/**
 * Adds the flags of settings to a command. Names, help, choices and bounds come from the schema of the
 * configuration file.
 * @param parts sections or settings as docs/config.md names them: `sampler`, `engine.kind`
 * @param except those within them that the command does not take
 */
export function addSettingFlags(
  command: Command,
  parts: readonly string[],
  except: readonly string[] = [],
): Command {
  for (const setting of SETTING_FLAGS) {
    if (!isBelow(setting.path, parts) || isBelow(setting.path, except)) continue;
    command.addOption(optionOf(setting));
    if (setting.alias !== undefined)
      command.addOption(new Option(setting.alias, `the same as ${setting.flag.split(' ')[0] ?? ''}`));
  }
  return command;
}

/** The settings that the command line gives, in the shape of the configuration file. */
export function givenSettings(command: Command): object {
  const settings = SETTING_FLAGS.flatMap(({ path, flag, alias }) =>
    command.options
      .filter(({ flags }) => flags === flag || flags === alias)
      .map((option) => option.attributeName())
      .filter((name) => command.getOptionValueSource(name) === 'cli')
      .map((name) => ({ path, value: command.getOptionValue(name) as unknown })),
  );
  return settings.reduce<object>((tree, { path, value }) => withValue(tree, path, value) as object, {});
}

function isBelow(path: readonly string[], parts: readonly string[]): boolean {
  return parts.some((part) => `${path.join('.')}.`.startsWith(`${part}.`));
}

function optionOf({ flag, field, unchecked, fallback }: SettingFlag): Option {
  const { description = '', type, enum: values } = jsonSchemaOf(field);
  const option = new Option(flag, helpOf(description, flag.startsWith('--no-')));
  if (values && !unchecked) option.choices(values);
  else if (values) option.description += `: ${values.join(', ')}`;
  if (typeof fallback === 'string' || typeof fallback === 'number')
    option.description += ` (default: ${fallback})`;
  if (type === 'integer' || type === 'number') option.argParser(numberParser(field));
  return option;
}

/** The first sentence and what stands as default; of `--no-…` what `false` means. */
function helpOf(description: string, negated: boolean): string {
  const sentences = description.replaceAll('`', '').split(/(?<=\.) /);
  const [first = '', ...others] = negated
    ? sentences.filter((one) => one.startsWith('false: ')).map((one) => one.slice('false: '.length))
    : sentences;
  const fallback = others.find((sentence) => sentence.startsWith('Default'));
  const text = first.replace(/\.$/, '');
  const start = /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
  return fallback === undefined ? start : `${start} (${lowerFirst(fallback.replace(/\.$/, ''))})`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** First what every number of the kind is, then the bounds of the field in its own words. */
function numberParser(field: SettingFlag['field']): (text: string) => number {
  const { type, minimum = 0, exclusiveMinimum } = jsonSchemaOf(field);
  const whole = minimum >= 1 ? positiveInteger : wholeNumber;
  const decimal = exclusiveMinimum === undefined ? nonNegativeNumber : positiveNumber;
  const parse = type === 'integer' ? whole : decimal;
  return (text) => {
    const value = parse(text);
    const [issue] = field.safeParse(value).error?.issues ?? [];
    if (issue) throw new InvalidArgumentError(`E${issue.message.slice(1)}.`);
    return value;
  };
}
