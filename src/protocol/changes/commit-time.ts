const microsPerDay = 86_400_000_000n;
/** Of the Gregorian calendar, which repeats itself. */
const daysPer400Years = 146_097;
const daysFrom0000March = 719_468;

/**
 * Microseconds since 1970 as the ISO text in UTC that timestamptz reads as the same instant. A Date
 * has neither the microseconds nor all of the years of Postgres.
 */
export function printCommitTime(micros: bigint): string {
  const microsOfDay = Number(((micros % microsPerDay) + microsPerDay) % microsPerDay);
  const days = Number((micros - BigInt(microsOfDay)) / microsPerDay);
  const { year, month, day } = civilDate(days);
  const printedYear = String(year > 0 ? year : 1 - year).padStart(4, '0');
  const seconds = Math.floor(microsOfDay / 1_000_000);
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map(twoDigits)
    .join(':');
  const fraction = String(microsOfDay % 1_000_000).padStart(6, '0');
  const era = year > 0 ? '' : ' BC';
  return `${printedYear}-${twoDigits(month)}-${twoDigits(day)}T${time}.${fraction}Z${era}`;
}

/** Counted in years that begin in March, so that a leap day is the last day of one. */
function civilDate(daysSince1970: number): { year: number; month: number; day: number } {
  const days = daysSince1970 + daysFrom0000March;
  const era = Math.floor(days / daysPer400Years);
  const dayOfEra = days - era * daysPer400Years;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - (365 * yearOfEra + leapDays);
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
