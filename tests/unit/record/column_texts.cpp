#include "tests/unit/record/column_texts.h"

#include <gtest/gtest.h>

#include "transport/record/batch_builder.h"
#include "transport/record/parse.h"

namespace sluice::test {
namespace {

template <class T>
void add(column_builder& out, const parsed<T>& value, const std::string& text) {
  if (!value) {
    ADD_FAILURE() << '"' << text << "\" is no " << to_string(out.type());
  }
  if constexpr (std::is_same_v<T, bool>) {
    out.append_bool(value.value);
  } else {
    out.append(value.value);
  }
}

void add_text(column_builder& out, const std::string& text) {
  const data_type& t = out.type();
  switch (t.id) {
    case type_id::boolean:
      return add(out, parse_bool(text), text);
    case type_id::int64:
      return add(out, parse_int64(text), text);
    case type_id::uint64:
      return add(out, parse_uint64(text), text);
    case type_id::float32:
      return add(out, parse_float32_exact(text), text);
    case type_id::float64:
      return add(out, parse_float64_exact(text), text);
    case type_id::decimal:
      return add(out, parse_decimal(text, t.precision, t.scale), text);
    case type_id::decimal_text:
    case type_id::utf8:
    case type_id::binary:
      return out.append_bytes(text);
    case type_id::date:
      return add(out, parse_iso_date(text), text);
    case type_id::time_of_day:
      return add(out, parse_iso_time(text, t.unit, t.fraction_digits), text);
    case type_id::duration:
      return add(out, parse_duration(text, t.unit, t.fraction_digits), text);
    case type_id::timestamp:
    case type_id::instant: {
      const bool utc = text.ends_with('Z');
      return add(out,
                 parse_iso_timestamp(text.substr(0, text.size() - (utc ? 1 : 0)), t.unit, t.fraction_digits),
                 text);
    }
  }
}

}  // namespace

column column_of(const data_type& type, const texts& values, const std::shared_ptr<buffer_pool>& pool) {
  column_builder builder(type, pool);
  for (const auto& value : values) {
    if (value) {
      add_text(builder, *value);
    } else {
      builder.append_null();
    }
  }
  return builder.seal();
}

texts texts_of(const column& c, const data_type& type, std::uint32_t rows) {
  texts out;
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (type.id == type_id::binary && !c.is_null(row)) {
      out.emplace_back(c.get_bytes(row));
    } else {
      out.push_back(value_text(c, type, row));
    }
  }
  return out;
}

std::vector<std::string> converted(const data_type& from, const texts& values, const data_type& to,
                                   const conversion_context& context) {
  const auto pool = buffer_pool::make(1 << 20);
  const column in = column_of(from, values, pool);
  const auto rows = static_cast<std::uint32_t>(values.size());
  const auto converter = make_converter({.name = "from", .type = from}, {.name = "to", .type = to}, context);
  if (!converter) {
    return std::vector<std::string>(rows, "refused: " + converter.error().message);
  }
  std::vector<conversion_failure> failures;
  texts out;
  if (*converter == nullptr) {
    out = texts_of(in, to, rows);
  } else {
    column_builder builder(to, pool);
    (*converter)->convert(in, 0, rows, builder, failures);
    EXPECT_EQ(builder.size(), rows);
    out = texts_of(builder.seal(), to, rows);
  }
  std::vector<std::string> answers;
  for (const auto& text : out) {
    answers.push_back(text.value_or("NULL"));
  }
  for (const conversion_failure& f : failures) {
    EXPECT_EQ(answers[f.row], "NULL");
    answers[f.row] = "! " + std::string(f.code);
  }
  return answers;
}

}  // namespace sluice::test
