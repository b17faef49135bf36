/**
 * What a window is, said once more in SQL and PL/pgSQL, slowly and straight from the definition:
 * every function answers the windows one time is in. Nothing of the lowering is used.
 */
export const definition: string = `
CREATE SCHEMA oracle;

-- Microseconds since 1970-01-01 00:00 of a timestamp, exactly, and back.
CREATE FUNCTION oracle.micros(t timestamp) RETURNS numeric IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT trunc(extract(epoch FROM t) * 1000000) $$;

CREATE FUNCTION oracle.micros(t timestamptz) RETURNS numeric IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT trunc(extract(epoch FROM t) * 1000000) $$;

CREATE FUNCTION oracle.at(micros numeric) RETURNS timestamp IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT TIMESTAMP 'epoch' + make_interval(days => floor(micros / 86400000000)::int)
     + mod(mod(micros, 86400000000) + 86400000000, 86400000000)::float8 * INTERVAL
       '1 microsecond' $$;

CREATE FUNCTION oracle.months(i interval) RETURNS int IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT (extract(year FROM i) * 12 + extract(month FROM i))::int $$;

-- The part of an interval that is not months, a day being 24 hours.
CREATE FUNCTION oracle.fixed(i interval) RETURNS numeric IMMUTABLE STRICT LANGUAGE sql AS
$$ SELECT trunc(extract(epoch FROM i - make_interval(months => oracle.months(i))) * 1000000) $$;

-- Windows start at o, o + slide, o + 2 slide ..., and o - slide ...; each lasts size.
CREATE FUNCTION oracle.windows(t timestamp, slide interval, size interval, o timestamp)
RETURNS TABLE (s timestamp, e timestamp) IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
  n int := oracle.months(slide);
  k numeric;
BEGIN
  IF t IS NULL OR NOT isfinite(t) THEN RETURN; END IF;
  IF n > 0 THEN
    k := floor((oracle.months(make_interval(years => extract(year FROM t)::int - extract(year
      FROM o)::int))
      + extract(month FROM t) - extract(month FROM o)) / n) + 1;
  ELSE
    k := floor((oracle.micros(t) - oracle.micros(o)) / oracle.fixed(slide)) + 1;
  END IF;
  LOOP
    IF n > 0 THEN
      s := o + make_interval(months => (k * n)::int);
      e := o + make_interval(months => (k * n)::int + oracle.months(size));
    ELSE
      s := oracle.at(oracle.micros(o) + k * oracle.fixed(slide));
      e := s + make_interval(months => oracle.months(size));
    END IF;
    e := oracle.at(oracle.micros(e) + oracle.fixed(size));
    IF s <= t AND t < e THEN RETURN NEXT; END IF;
    -- A month may last a few days less than another, so look a little further than the first miss.
    EXIT WHEN e + oracle.months(slide + size) * INTERVAL '5 days' <= t;
    k := k - 1;
  END LOOP;
END $$;

-- The same for instants, aligned and counted in UTC.
CREATE FUNCTION oracle.windows(t timestamptz, slide interval, size interval, o timestamptz)
RETURNS TABLE (s timestamptz, e timestamptz) STABLE LANGUAGE sql AS $$
  SELECT w.s AT TIME ZONE 'UTC', w.e AT TIME ZONE 'UTC'
  FROM oracle.windows(t AT TIME ZONE 'UTC', slide, size, o AT TIME ZONE 'UTC') AS w $$;

CREATE FUNCTION oracle.shift(t timestamptz, z text) RETURNS interval STABLE LANGUAGE sql AS
$$ SELECT (t AT TIME ZONE z) - (t AT TIME ZONE 'UTC') $$;

-- The least instant whose local date is d or later: where a clock that runs evenly reaches it, or
-- where a change of the clock jumps over it.
CREATE FUNCTION oracle.day_start(d date, z text) RETURNS timestamptz STABLE LANGUAGE plpgsql AS $$
DECLARE
  noon timestamptz := d::timestamp AT TIME ZONE 'UTC';
  candidates timestamptz[] := '{}';
  low timestamptz;
  high timestamptz;
  middle timestamptz;
BEGIN
  FOR hour IN -30..29 LOOP
    low := noon + hour * INTERVAL '1 hour';
    high := low + INTERVAL '1 hour';
    candidates := candidates || (noon - oracle.shift(low, z));
    IF oracle.shift(low, z) <> oracle.shift(high, z) THEN
      WHILE high - low > INTERVAL '1 second' LOOP
        middle := date_trunc('second', low + (high - low) / 2);
        IF oracle.shift(middle, z) = oracle.shift(low, z) THEN low := middle; ELSE high :=
          middle; END IF;
      END LOOP;
      candidates := candidates || high;
    END IF;
  END LOOP;
  RETURN (SELECT min(c) FROM unnest(candidates) AS c WHERE (c AT TIME ZONE z)::date >= d);
END $$;

-- The last day that has started.
CREATE FUNCTION oracle.day_of(t timestamptz, z text) RETURNS date STABLE LANGUAGE plpgsql AS $$
DECLARE
  d date := (t AT TIME ZONE z)::date + 1;
BEGIN
  WHILE oracle.day_start(d, z) > t LOOP d := d - 1; END LOOP;
  RETURN d;
END $$;

-- Windows in a time zone. Shorter than a day: real time from the start of each local day, and with
-- cut no further than to the next. Whole days and months: local dates, counted from the date of o.
CREATE FUNCTION oracle.zone_windows(
  t timestamptz, slide interval, size interval, o timestamp, z text, cut boolean)
RETURNS TABLE (s timestamptz, e timestamptz) STABLE LANGUAGE plpgsql AS $$
DECLARE
  within boolean := slide < INTERVAL '1 day';
  short boolean := size < INTERVAL '1 day';
  today date;
  next_day timestamptz;
  step int;
  k int;
  first date;
BEGIN
  IF t IS NULL OR NOT isfinite(t) THEN RETURN; END IF;
  today := oracle.day_of(t, z);
  IF within THEN
    FOR back IN 0..2 LOOP
      s := oracle.day_start(today - back, z);
      next_day := oracle.day_start(today - back + 1, z);
      WHILE s < next_day LOOP
        e := oracle.at(oracle.micros(s) + oracle.fixed(size)) AT TIME ZONE 'UTC';
        IF cut THEN e := least(e, next_day); END IF;
        IF s <= t AND t < e THEN RETURN NEXT; END IF;
        s := oracle.at(oracle.micros(s) + oracle.fixed(slide)) AT TIME ZONE 'UTC';
      END LOOP;
    END LOOP;
    RETURN;
  END IF;
  step := oracle.months(slide);
  IF step > 0 THEN
    k := floor(((extract(year FROM today) - extract(year FROM o)) * 12
      + extract(month FROM today) - extract(month FROM o)) / step) + 1;
  ELSE
    k := floor((today - o::date)::numeric / extract(day FROM slide)) + 1;
  END IF;
  LOOP
    first := CASE WHEN step > 0 THEN (o::date + make_interval(months => k * step))::date
      ELSE o::date + k * extract(day FROM slide)::int END;
    s := oracle.day_start(first, z);
    IF short THEN
      e := oracle.at(oracle.micros(s) + oracle.fixed(size)) AT TIME ZONE 'UTC';
    ELSIF step > 0 THEN
      e := oracle.day_start(((o::date + make_interval(months => k * step +
        oracle.months(size)))::date
        + extract(day FROM size)::int), z);
    ELSE
      e := oracle.day_start((first + size)::date, z);
    END IF;
    IF s <= t AND t < e THEN RETURN NEXT; END IF;
    EXIT WHEN e + INTERVAL '5 days' <= t;
    k := k - 1;
  END LOOP;
END $$;
`;
