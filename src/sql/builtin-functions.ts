/**
 * Functions of pg_catalog that are no aggregates (Postgres 15, the ones people call), so that a
 * call of one over a column is known not to gather rows.
 */
export const builtinFunctions: ReadonlySet<string> = new Set(
  `abbrev abs acldefault aclexplode acos acosd acosh age area array_dims array_fill array_length
  array_lower array_ndims array_position array_positions array_remove array_replace
  array_to_json array_to_string array_to_tsvector array_upper ascii asin asind asinh atan atan2
  atan2d atand atanh bit bit_count bit_length bool box bpchar broadcast btrim cardinality cbrt
  ceil ceiling center char char_length character_length chr circle col_description concat
  concat_ws convert convert_from convert_to cos cosd cosh cot cotd current_schemas
  current_setting currtid2 currval date date_bin date_part date_trunc datemultirange daterange
  decode degrees dexp diagonal diameter div dlog1 dlog10 dround dtrunc encode enum_first
  enum_last enum_range exp extract factorial family float4 float8 floor format format_type gcd
  generate_series generate_subscripts get_bit get_byte has_table_privilege height host hostmask
  initcap int2 int2int4_sum int4 int4multirange int4range int8 int8multirange int8range interval
  is_normalized isclosed isempty isfinite ishorizontal isopen isparallel isperp isvertical
  json_array_elements json_array_elements_text json_array_length json_build_array
  json_build_object json_each json_each_text json_object json_object_keys json_populate_record
  json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_to_tsvector
  json_typeof jsonb_array_elements jsonb_array_elements_text jsonb_array_length
  jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text jsonb_insert jsonb_object
  jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz
  jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first
  jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record jsonb_populate_recordset
  jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset
  jsonb_to_tsvector jsonb_typeof justify_days justify_hours justify_interval lcm left length
  like like_escape line ln log log10 loread lower lower_inc lower_inf lowrite lpad lseg ltrim
  macaddr macaddr8 macaddr8_set7bit make_date make_interval make_time make_timestamp
  make_timestamptz makeaclitem masklen md5 min_scale mod money multirange mxid_age name
  nameconcatoid netmask network nextval normalize notlike npoints num_nonnulls num_nulls numeric
  nummultirange numnode numrange obj_description octet_length oid oidvectortypes overlaps
  overlay parse_ident path pclose pg_typeof phraseto_tsquery plainto_tsquery point polygon popen
  position pow power querytree quote_ident quote_literal quote_nullable radians radius
  range_merge regclass regexp_count regexp_instr regexp_like regexp_match regexp_matches
  regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace
  reverse right round row_security_active row_to_json rpad rtrim scale set_bit set_byte
  set_masklen setseed setval setweight sha224 sha256 sha384 sha512 shobj_description sign
  similar_escape similar_to_escape sin sind sinh slope split_part sqrt string_to_array
  string_to_table strip strpos substr substring tan tand tanh text textlen time timestamp
  timestamptz timetz timezone to_ascii to_char to_date to_hex to_json to_jsonb to_number
  to_regclass to_regcollation to_regnamespace to_regoper to_regoperator to_regproc
  to_regprocedure to_regrole to_regtype to_timestamp to_tsquery to_tsvector translate trim
  trim_array trim_scale trunc ts_debug ts_delete ts_filter ts_headline ts_lexize ts_parse
  ts_rank ts_rank_cd ts_rewrite ts_stat ts_token_type tsmultirange tsquery_phrase tsrange
  tstzmultirange tstzrange tsvector_to_array unistr unnest upper upper_inc upper_inf varbit
  varchar websearch_to_tsquery width width_bucket xml xml_is_well_formed
  xml_is_well_formed_content xml_is_well_formed_document xmlcomment xmlconcat2 xmlexists
  xmlvalidate xpath xpath_exists`.split(/\s+/),
);
