#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/postgresql/postgresql_numeric.h"
#include "transport/record/calendar.h"
#include "transport/record/parse.h"
#include "transport/record/schema.h"
#include "transport/record/type.h"

/// The types of PostgreSQL as data: how each travels in COPY and what it is to Sluice. One row a type of the
/// server's own (pg_type.dat); all others travel as the server's exact text.
namespace sluice::postgresql {

/// `table_facts::product`.
inline constexpr std::string_view product_name = "postgresql";

/// How a value stands in the binary form of COPY.
enum class wire_form : std::uint8_t {
  boolean,  ///< One byte.
  int2,     ///< 16 bits; so the two below.
  int4,
  int8,
  oid,  ///< 32 bits without a sign.
  float4,
  float8,
  numeric,  ///< postgresql_numeric.h
  text,     ///< The bytes in the client's encoding, UTF-8.
  jsonb,    ///< A byte with the version, 1, then the text.
  bytes,
  date,       ///< 32 bits: days since 2000-01-01.
  time,       ///< 64 bits: microseconds since midnight.
  timestamp,  ///< 64 bits: microseconds since 2000-01-01, of no zone or of UTC.
  uuid,       ///< 16 bytes.
  money,      ///< 64 bits: the smallest units of the session's currency.
  as_text,    ///< Read as `(…)::text`; written only in the text form of COPY.
};

/// A type as the server names it.
struct server_type {
  std::uint32_t oid = 0;       ///< Of a domain its base type's.
  std::int32_t modifier = -1;  ///< atttypmod; -1 = none.
  std::string name;            ///< format_type: `character varying(20)`.
  bool is_enum = false;
  /// As text it would take some values of other types changed: the server rounds or cuts inside of arrays
  /// and composites, and leaves fields of intervals out, without a word.
  bool changes_text = false;
  bool takes_empty_text = true;  ///< '' is a value of it; not of json, uuid, inet, interval, arrays …
};

/// Dates and times among the values of an array, range or multirange.
enum class times_inside : std::uint8_t {
  none,
  plain,        ///< Without zones.
  with_offset,  ///< Each needs its offset.
};

/// What a column is to the plugin.
struct column_type {
  wire_form form = wire_form::as_text;
  data_type type;         ///< What a reader delivers, and a writer takes unless `write_type` says else.
  numeric_limits limits;  ///< Of a numeric.
  /// character(n): n; the server fills up with blanks, in which those of a shorter text would be lost. A
  /// writer has 0 where the source's type is another one, to which blanks mean nothing either.
  std::int32_t padded = 0;
  std::int32_t fraction_digits = -1;        ///< Of a type as text that rounds seconds (time with time zone,
                                            ///< interval, arrays of times): how many digits it keeps; -1 = it
                                            ///< does not round.
  bool needs_offset = false;                ///< time with time zone: the server would add the session's own.
  times_inside times = times_inside::none;  ///< Dates and times in an array or a range, which travel as text.
  std::uint64_t number_max = 0;  ///< Of numbers as text that the server would wrap (xid); 0 = none.
};

/// Why the server would make something of its own of the dates and times in the text of an array, range or
/// multirange: the present day of `today`, month or day of `01/02/2003`, the session's zone where an offset
/// is missing. Empty where it takes them as they stand: as it writes them itself with DateStyle ISO.
std::string_view what_is_guessed(std::string_view text, times_inside times);

/// `money_digits`: digits behind the point of the session's currency (lc_monetary).
column_type kind_of(const server_type& type, unsigned money_digits);

/// A value of a type that is read `as_text` as SQL: the server's own text. NULL stays NULL.
std::string text_sql(const std::string& sql, const server_type& type);

/// The modifier of the type of that oid which has room for the values of both: the greater length of texts
/// and bit varying, the more digits of numerics, times and timestamps; -1, which is no limit, where one has
/// none or nothing else has room. Nothing where the modifier of such a type says more than a size.
std::optional<std::int32_t> wider_modifier(std::uint32_t oid, std::int32_t a, std::int32_t b);

/// The type in which a writer wants values of `source` for such a column, so that nothing changes on the way.
data_type write_type(const column_type& column, const data_type& source);

/// Why the server would make other values of what is read, and what to do; empty where it does not.
std::string_view what_changes(const server_type& to, const field& from);

/// The type that `createTable` gives a column of this type.
std::string created_type(const data_type& type);

// The calendar: PostgreSQL counts from 2000-01-01.
inline constexpr std::int32_t epoch_days = 10'957;
inline constexpr std::int64_t epoch_micros = std::int64_t{epoch_days} * 86'400 * 1'000'000;
/// MIN_TIMESTAMP (4714-11-24 BC) in microseconds since 2000; its END_TIMESTAMP is beyond ours.
inline constexpr std::int64_t timestamp_least = -211'813'488'000'000'000;
/// DATETIME_MIN_JULIAN and DATE_END_JULIAN in days since 2000.
inline constexpr std::int32_t date_least = -2'451'545;
inline constexpr std::int32_t date_end = 2'145'031'949;

/// A day or a microsecond of ours since 2000, or why the server has none.
inline parsed<std::int32_t> server_date(std::int32_t days) {
  if (days == date_infinity || days == date_minus_infinity) {
    return {days};
  }
  const std::int64_t since_2000 = std::int64_t{days} - epoch_days;
  if (since_2000 < date_least || since_2000 >= date_end) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::int32_t>(since_2000)};
}
inline parsed<std::int64_t> server_timestamp(std::int64_t micros) {
  if (micros == time_infinity || micros == time_minus_infinity) {
    return {micros};
  }
  if (micros < timestamp_least + epoch_micros) {
    return refuse(dirty_code::out_of_range);
  }
  return {micros - epoch_micros};
}

/// The other way: what a batch has for the server's days and microseconds. `wrong_type` where the server has
/// no such date, `out_of_range` where a batch has no such timestamp.
inline parsed<std::int32_t> date_in_batch(std::int32_t days) {
  if (days == date_infinity || days == date_minus_infinity) {
    return {days};
  }
  if (days < date_least || days >= date_end) {
    return refuse(dirty_code::wrong_type);
  }
  return {days + epoch_days};
}
inline parsed<std::int64_t> timestamp_in_batch(std::int64_t micros) {
  if (micros == time_infinity || micros == time_minus_infinity) {
    return {micros};
  }
  if (micros >= time_infinity - epoch_micros) {
    return refuse(dirty_code::out_of_range);
  }
  return {micros + epoch_micros};
}

}  // namespace sluice::postgresql
