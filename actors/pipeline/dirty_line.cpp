#include "actors/pipeline/dirty_line.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "transport/base/base64.h"

namespace sluice {
namespace {

// The JSON is put together by hand: the keys are fixed and a document object for each record (nlohmann::json)
// costs about ten times more, which a flood of dirty records would feel.

/// For each byte: whether it stands for itself inside a JSON string of ASCII.
constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7F; ++c) {
    plain[c] = c != '"' && c != '\\';
  }
  return plain;
}
constexpr std::array<bool, 256> plain = make_plain();

std::size_t plain_prefix(std::string_view text, std::size_t from) {
  std::size_t at = from;
  while (at < text.size() && plain[static_cast<unsigned char>(text[at])]) {
    ++at;
  }
  return at;
}

void append_escape(unsigned char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
  }
}

/// A JSON string, or `{"base64":"…"}` where the text is not well-formed UTF-8.
void append_text(std::string_view text, std::string& out) {
  std::size_t at = plain_prefix(text, 0);
  if (at < text.size() && !simdjson::validate_utf8(text.data(), text.size())) {
    out += R"({"base64":")";
    out += base64(text);
    out += "\"}";
    return;
  }
  out += '"';
  std::size_t from = 0;
  while (at < text.size()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) {
      out.append(text, from, at - from);
      append_escape(c, out);
      from = at + 1;
    }
    at = plain_prefix(text, at + 1);
  }
  out.append(text, from);
  out += '"';
}

void append_number(std::uint64_t number, std::string& out) {
  const fmt::format_int digits(number);
  out.append(digits.data(), digits.size());
}

template <class Number>
void append_member(std::string_view key, const std::optional<Number>& number, std::string& out) {
  out.append(key);
  if (number) {
    append_number(*number, out);
  } else {
    out += "null";
  }
}

void append_member(std::string_view key, std::string_view text, std::string& out) {
  out.append(key);
  append_text(text, out);
}

/// The first `bytes_max` bytes of `text`, ending on a character's border where it is UTF-8.
std::string_view cut_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  std::size_t end = bytes_max;
  while (end > 0 && bytes_max - end < 3 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return text.substr(0, end);
}

std::size_t text_bytes(const dirty_record& record) {
  std::size_t bytes = record.value ? record.value->size() : 0;
  for (const dirty_field& f : record.record) {
    bytes += f.text ? f.text->size() : 0;
  }
  return bytes;
}

/// The fields in order until `room` bytes of text are used up; those behind are left out.
void append_fields(const std::vector<dirty_field>& fields, std::size_t room, std::string& out) {
  bool first = true;
  for (const dirty_field& f : fields) {
    if (room == 0) {
      return;
    }
    append_member(first ? R"({"name":)" : R"(,{"name":)", f.name, out);
    append_member(R"(,"type":)", f.type, out);
    if (f.text) {
      const std::string_view kept = cut_text(*f.text, room);
      append_member(R"(,"text":)", kept, out);
      room = kept.size() < f.text->size() ? 0 : room - kept.size();
    } else {
      out += R"(,"text":null)";
    }
    out += '}';
    first = false;
  }
}

template <class Number>
bool take_number(std::string_view& from, Number& number) {
  const auto [end, failure] = std::from_chars(from.data(), from.data() + from.size(), number);
  if (failure != std::errc{}) {
    return false;
  }
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  return true;
}

bool take_literal(std::string_view& from, std::string_view literal) {
  if (!from.starts_with(literal)) {
    return false;
  }
  from.remove_prefix(literal.size());
  return true;
}

}  // namespace

std::string dirty_line_run_members(const run_id& run, std::string_view job) {
  std::string out;
  append_member(R"(,"run":)", run.text(), out);
  append_member(R"(,"job":)", job, out);
  return out;
}

void append_dirty_line(std::string_view run_members, split_index split, std::string_view time,
                       const dirty_record& record, std::string& out) {
  const bool too_long = text_bytes(record) > dirty_text_max;
  const std::size_t room = too_long ? dirty_text_kept : dirty_text_max + 1;
  // Version, split, position and code come first: they are found again without parsing the line.
  append_member(R"({"version":)", std::optional<std::uint64_t>(dirty_line_version), out);
  append_member(R"(,"split":)", std::optional<std::uint64_t>(split.value), out);
  append_member(R"(,"position":)", std::optional<std::uint64_t>(record.position), out);
  append_member(R"(,"code":)", record.code, out);
  out.append(run_members);
  append_member(R"(,"time":)", time, out);
  append_member(R"(,"side":)", to_string(record.side), out);
  append_member(R"(,"source":)", record.source, out);
  append_member(R"(,"line":)", record.line, out);
  append_member(R"(,"byte_offset":)", record.byte_offset, out);
  append_member(R"(,"key":)", record.key, out);
  append_member(R"(,"column":)", record.column, out);
  if (record.value) {
    append_member(R"(,"value":)", cut_text(*record.value, room), out);
  } else {
    out += R"(,"value":null)";
  }
  append_member(R"(,"target_type":)", record.target_type, out);
  append_member(R"(,"message":)", record.message, out);
  append_member(R"(,"record_bytes":)", std::optional<std::uint64_t>(record.record_bytes), out);
  out += too_long || record.cut ? R"(,"cut":true,"record":[)" : R"(,"cut":false,"record":[)";
  append_fields(record.record, room, out);
  out += "]}\n";
}

std::optional<dirty_line_head> parse_dirty_line_head(std::string_view head) {
  dirty_line_head found;
  if (!take_literal(head, R"({"version":)") || !take_number(head, found.version) ||
      !take_literal(head, R"(,"split":)") || !take_number(head, found.split.value) ||
      !take_literal(head, R"(,"position":)") || !take_number(head, found.position) ||
      !take_literal(head, ",")) {
    return std::nullopt;
  }
  if (take_literal(head, R"("code":")")) {
    const std::size_t end = head.find_first_of("\"\\");
    if (end != std::string_view::npos && head[end] == '"') {
      found.code = head.substr(0, end);
    }
  }
  return found;
}

}  // namespace sluice
