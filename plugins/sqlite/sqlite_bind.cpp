#include "plugins/sqlite/sqlite_bind.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "transport/base/text.h"
#include "transport/record/calendar.h"
#include "transport/record/parse.h"

namespace sluice::sqlite {
namespace {

std::string_view code_name(dirty_code code) {
  return sluice::to_string(code);
}

bool is_infinity(std::int64_t v) {
  return v == time_infinity || v == time_minus_infinity;
}

}  // namespace

unsigned digits_needed(std::int64_t value, time_unit unit) {
  if (is_infinity(value)) {
    return 0;
  }
  std::int64_t units = per_second(unit);
  unsigned digits = 0;
  while (value % units != 0) {
    units /= 1000;
    digits += 3;
  }
  return digits;
}

row_binder::row_binder(const schema& columns, std::vector<target_column> targets) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    column_plan plan;
    plan.type = columns[i].type;
    plan.target = targets[i];
    const affinity a = targets[i].kind.gives;
    plan.numeric =
        !targets[i].kind.strict && (a == affinity::numeric || a == affinity::integer || a == affinity::real);
    plans_.push_back(plan);
  }
}

bool row_binder::refuse(std::size_t at, std::string_view code, std::string message) {
  problem_ = {at, code, std::move(message)};
  return false;
}

bool row_binder::bind(statement& insert, std::uint32_t row) {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const column& from = batch_->columns[i];
    const bool bound =
        from.is_null(row) ? bind_null(insert, plans_[i], i) : bind_value(insert, from, plans_[i], i, row);
    if (!bound) {
      return false;
    }
  }
  return true;
}

bool row_binder::bind_null(statement& insert, const column_plan& plan, std::size_t at) {
  if (plan.target.is_rowid) {
    return refuse(at, "SQLITE_CONSTRAINT_NOTNULL",
                  "NULL for an INTEGER PRIMARY KEY, which SQLite would replace by a number of its own");
  }
  if (plan.target.not_null) {
    return refuse(at, "SQLITE_CONSTRAINT_NOTNULL", "NULL for a column that is declared NOT NULL");
  }
  insert.bind_null(static_cast<int>(at) + 1);
  return true;
}

bool row_binder::bind_value(statement& insert, const column& from, column_plan& plan, std::size_t at,
                            std::uint32_t row) {
  const int index = static_cast<int>(at) + 1;
  switch (plan.type.id) {
    case type_id::int64:
      insert.bind(index, from.get<std::int64_t>(row));
      return true;
    case type_id::utf8:
      return bind_text(insert, plan, at, from.get_bytes(row));
    case type_id::float64:
      return bind_double(insert, at, from.get<double>(row));
    case type_id::float32:
      return bind_double(insert, at, from.get<float>(row));
    case type_id::boolean:
      insert.bind(index, std::int64_t{from.get_bool(row)});
      return true;
    case type_id::uint64:
      return bind_uint64(insert, at, from.get<std::uint64_t>(row));
    case type_id::binary:
      insert.bind_blob(index, from.get_bytes(row));
      return true;
    case type_id::decimal:
      return bind_decimal(insert, plan, at, from.get<int128>(row));
    case type_id::decimal_text:
      if (plan.numeric) {
        return bind_number(insert, at, from.get_bytes(row));
      }
      insert.bind_text(index, from.get_bytes(row));
      return true;
    case type_id::date: {
      const char* end = write_iso_date(from.get<std::int32_t>(row), plan.text.data());
      insert.bind_text(index, {plan.text.data(), static_cast<std::size_t>(end - plan.text.data())});
      return true;
    }
    case type_id::time_of_day:
    case type_id::duration:
    case type_id::timestamp:
    case type_id::instant:
      return bind_time(insert, plan, at, from.get<std::int64_t>(row));
  }
  return refuse(at, "", "a type that SQLite does not know");
}

bool row_binder::bind_double(statement& insert, std::size_t at, double v) {
  if (std::isnan(v)) {
    return refuse(at, code_name(dirty_code::not_finite), "NaN, which SQLite stores as NULL");
  }
  insert.bind(static_cast<int>(at) + 1, v);
  return true;
}

bool row_binder::bind_uint64(statement& insert, std::size_t at, std::uint64_t v) {
  if (v > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return refuse(at, code_name(dirty_code::out_of_range),
                  fmt::format("{}, beyond SQLite's largest integer 9223372036854775807", v));
  }
  insert.bind(static_cast<int>(at) + 1, static_cast<std::int64_t>(v));
  return true;
}

bool row_binder::bind_decimal(statement& insert, column_plan& plan, std::size_t at, int128 v) {
  const char* end = write_decimal(v, plan.type.scale, plan.text.data());
  const std::string_view text(plan.text.data(), static_cast<std::size_t>(end - plan.text.data()));
  if (plan.numeric) {
    return bind_number(insert, at, text);
  }
  insert.bind_text(static_cast<int>(at) + 1, text);
  return true;
}

bool row_binder::bind_number(statement& insert, std::size_t at, std::string_view text) {
  if (const auto whole = parse_int64(text); whole.ok()) {
    insert.bind(static_cast<int>(at) + 1, whole.value);
    return true;
  }
  const auto real = parse_float64_exact(text);
  if (!real.ok()) {
    return refuse(
        at, code_name(real.code),
        fmt::format("{} would not read back equal from a column of NUMERIC affinity; declare it TEXT",
                    in_quotes(text)));
  }
  return bind_double(insert, at, real.value);
}

bool row_binder::bind_text(statement& insert, const column_plan& plan, std::size_t at,
                           std::string_view text) {
  const int index = static_cast<int>(at) + 1;
  if (!plan.numeric) {
    insert.bind_text(index, text);
    return true;
  }
  // SQLite makes a number of a text that looks like one, with blanks around it or not (datatype3.html 3). We
  // bind the number ourselves, and only where its text is the text that came.
  constexpr std::string_view blanks = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(blanks);
  const std::string_view bare = first == std::string_view::npos
                                    ? std::string_view()
                                    : text.substr(first, text.find_last_not_of(blanks) - first + 1);
  const auto parts = split_number(bare);
  if (!parts.ok() || parts.value.what != number_parts::form::finite) {
    insert.bind_text(index, text);
    return true;
  }
  if (const auto whole = parse_int64(bare); whole.ok() && text_of(write_int64, whole.value) == text) {
    insert.bind(index, whole.value);
    return true;
  }
  if (const auto real = parse_float64(bare); real.ok() && text_of(write_float64, real.value) == text) {
    insert.bind(index, real.value);
    return true;
  }
  return refuse(at, code_name(dirty_code::not_exact),
                fmt::format("the text {} looks like a number, which SQLite would store in another form in a "
                            "column of {} affinity; declare the "
                            "column TEXT",
                            in_quotes(text), to_string(plan.target.kind.gives)));
}

bool row_binder::bind_time(statement& insert, column_plan& plan, std::size_t at, std::int64_t v) {
  char* to = plan.text.data();
  char* end = nullptr;
  const unsigned digits = digits_needed(v, plan.type.unit);
  switch (plan.type.id) {
    case type_id::time_of_day:
      end = write_iso_time(v, plan.type.unit, digits, to);
      break;
    case type_id::duration:
      end = write_duration(v, plan.type.unit, digits, to);
      break;
    default:
      end = write_iso_timestamp(v, plan.type.unit, digits, ' ', to);
      if (plan.type.id == type_id::instant && !is_infinity(v)) {
        constexpr std::string_view utc = "+00:00";
        end = std::copy(utc.begin(), utc.end(), end);
      }
  }
  insert.bind_text(static_cast<int>(at) + 1, {to, static_cast<std::size_t>(end - to)});
  return true;
}

}  // namespace sluice::sqlite
