#include "transport/record/convert.h"

#include "transport/record/conversion_table.h"
#include "transport/record/convert_steps.h"

namespace sluice {
namespace convert {

conversion_failure failure_of(const column& from, const field& from_field, const field& to_field,
                              std::uint32_t row, dirty_code code) {
  const std::string_view meaning = dirty_codes[static_cast<std::size_t>(code) - 1].meaning;
  const std::optional<std::string> value = value_text(from, from_field.type, row);
  return {row, to_string(code),
          fmt::format("{} is not taken as {}. {}", value ? in_quotes(*value) : "NULL",
                      to_string(to_field.type), meaning)};
}

}  // namespace convert

namespace {

bool is_time(type_id id) {
  return id == type_id::date || has_unit(id);
}

/// A text that passes as it is, but for the empty one, into a column that holds no text.
bool takes_empty_as_null(const field& from, const field& to, const conversion_context& context) {
  return context.empty_as_null && !to.holds_text && from.type.id == type_id::utf8 &&
         to.type.id == type_id::utf8 && lookup_conversion(from.type, to.type).kind == conversion_kind::same;
}

std::string shown(const field& f) {
  return f.source_type_name.empty() ? to_string(f.type)
                                    : fmt::format("{} ({})", to_string(f.type), f.source_type_name);
}

}  // namespace

result<std::unique_ptr<const column_converter>> make_converter(const field& from, const field& to,
                                                               const conversion_context& context) {
  const conversion found = lookup_conversion(from.type, to.type);
  if (found.kind == conversion_kind::refused) {
    return fail(error_kind::bad_option, "{} cannot become {}: {}.", shown(from), shown(to), found.rule);
  }
  if (!context.bytes_encoding.empty() &&
      (from.type.id == type_id::binary) != (to.type.id == type_id::binary)) {
    return fail(
        error_kind::bad_option,
        "{} cannot become {} in {} (common.column.encoding): only UTF-8 is supported there. Convert it "
        "in the query or let the reader decode it (\"encoding\" of text files), and leave "
        "common.column.encoding out.",
        shown(from), shown(to), in_quotes(context.bytes_encoding));
  }
  if (takes_empty_as_null(from, to, context)) {
    return convert::by_step(
        from, to, [nullable = to.nullable](const column& c, std::uint32_t row, column_builder& out) {
          const std::string_view text = c.get_bytes(row);
          if (!text.empty()) {
            out.append_bytes(text);
          } else if (nullable) {
            out.append_null();
          } else {
            return dirty_code::null_not_allowed;
          }
          return dirty_code::none;
        });
  }
  if (found.kind == conversion_kind::same) {
    if (!from.nullable || to.nullable) {
      return nullptr;
    }
    return convert::by_copy(from, to, [](const column&, std::uint32_t) { return dirty_code::none; });
  }
  if (found.needs_zone && context.zone == nullptr) {
    return fail(error_kind::internal, "Column {}: {} to {} without a time zone.", in_quotes(from.name),
                to_string(from.type), to_string(to.type));
  }
  if (is_time(from.type.id) || is_time(to.type.id)) {
    return convert::make_time_converter(from, to, context);
  }
  auto made = convert::make_text_converter(from, to, context.empty_as_null);
  if (made == nullptr) {
    made = convert::make_number_converter(from, to);
  }
  if (made == nullptr) {
    return fail(error_kind::internal, "No converter from {} to {}.", to_string(from.type),
                to_string(to.type));
  }
  return made;
}

}  // namespace sluice
