#include "plugins/text/text_file_reader.h"

#include <algorithm>
#include <limits>

#include "plugins/text/csv_rows.h"
#include "plugins/text/json_rows.h"
#include "plugins/text/newline_pass.h"
#include "transport/base/text.h"
#include "transport/record/canonical.h"
#include "transport/record/utf8.h"

namespace sluice {
namespace {

/// Large enough for long runs of the column loops, small enough for the second-level cache.
constexpr std::size_t window_bytes_max = std::size_t{256} << 10;
constexpr std::size_t window_bytes_min = std::size_t{16} << 10;
/// The most input behind one batch, so that a file of which little is kept is also marked now and then.
constexpr std::uint64_t batch_input_max = std::uint64_t{64} << 20;
/// Records whose columns are filled one after the other: what they are and where their fields end stays in
/// the cache nearest to the processor meanwhile.
constexpr std::size_t run_records_max = 128;

std::size_t window_bytes(const plugin_context& context) {
  // The index may take as much again as the window does.
  const std::size_t share = static_cast<std::size_t>(context.memory_bytes / 4);
  return context.memory_bytes == 0 ? window_bytes_max : std::clamp(share, window_bytes_min, window_bytes_max);
}

result<std::uint64_t> number(const scalar_list& list, std::string_view name) {
  const scalar* found = find(list, name);
  if (found != nullptr) {
    if (const auto* u = std::get_if<std::uint64_t>(&found->value)) {
      return *u;
    }
    // Whole numbers come back from JSON as int64.
    if (const auto* i = std::get_if<std::int64_t>(&found->value); i != nullptr && *i >= 0) {
      return static_cast<std::uint64_t>(*i);
    }
  }
  return fail(error_kind::internal, "A stored description of a file has no number {}.", in_quotes(name));
}

result<std::string> text(const scalar_list& list, std::string_view name) {
  const scalar* found = find(list, name);
  if (found != nullptr) {
    if (const auto* t = std::get_if<std::string>(&found->value)) {
      return *t;
    }
  }
  return fail(error_kind::internal, "A stored description of a file has no text {}.", in_quotes(name));
}

scalar number_scalar(std::uint64_t n) {
  return {static_cast<std::int64_t>(std::min<std::uint64_t>(n, std::numeric_limits<std::int64_t>::max()))};
}

}  // namespace

scalar_list file_part::description() const {
  scalar_list list = {{"path", {path}},
                      {"from", number_scalar(from)},
                      {"to", number_scalar(to)},
                      {"line", number_scalar(line)},
                      {"size", number_scalar(identity.size)},
                      {"mtime_ns", {identity.mtime_ns}}};
  if (!sum.empty()) {
    list.push_back({"sum", {sum}});
  }
  return list;
}

result<file_part> file_part::from_description(const scalar_list& description) {
  file_part part;
  SLUICE_TRY(part.path, text(description, "path"));
  SLUICE_TRY(part.from, number(description, "from"));
  SLUICE_TRY(part.to, number(description, "to"));
  SLUICE_TRY(part.line, number(description, "line"));
  SLUICE_TRY(part.identity.size, number(description, "size"));
  const scalar* mtime = find(description, "mtime_ns");
  const auto* value = mtime == nullptr ? nullptr : std::get_if<std::int64_t>(&mtime->value);
  if (value == nullptr) {
    return fail(error_kind::internal, "A stored description of a file has no time.");
  }
  part.identity.mtime_ns = *value;
  if (find(description, "sum") != nullptr) {
    SLUICE_TRY(part.sum, text(description, "sum"));
  }
  return part;
}

cursor file_place::to_cursor() const {
  return {{"byte", number_scalar(byte)}, {"line", number_scalar(line)}, {"sum", {sum}}, {"blocks", {blocks}}};
}

result<file_place> file_place::from_cursor(const cursor& after) {
  if (find(after, "hash") != nullptr && find(after, "sum") == nullptr) {
    return fail(error_kind::source_changed,
                "This run was begun by an older version of Sluice, whose marks do not tell whether a file "
                "is still the same: finish it with that version.");
  }
  file_place place;
  SLUICE_TRY(place.byte, number(after, "byte"));
  SLUICE_TRY(place.line, number(after, "line"));
  SLUICE_TRY(place.sum, text(after, "sum"));
  SLUICE_TRY(place.blocks, text(after, "blocks"));
  return place;
}

result<bool> digest_up_to(input_stream& stream, std::uint64_t bytes, running_digest& digest,
                          const std::string& name, const stop_signal& stop) {
  std::string block(window_bytes_max, '\0');
  while (digest.bytes() < bytes) {
    if (stop.fired()) {
      return fail(error_kind::cancelled, "stopped while looking for byte {} of {}", bytes, name);
    }
    SLUICE_TRY(const std::size_t got,
               stream.read(block.data(), std::min<std::uint64_t>(block.size(), bytes - digest.bytes())));
    if (got == 0) {
      return false;
    }
    digest.add(block.data(), got);
  }
  return true;
}

result<std::unique_ptr<input_stream>> open_stream(const text_layout& layout, const file_handle& file,
                                                  std::uint64_t from, std::uint64_t to) {
  std::unique_ptr<input_stream> stream;
  if (layout.compressed == compression::none) {
    stream = plain_stream(file, from, to);
  } else {
    SLUICE_TRY(stream, decompressing_stream(layout.compressed, file));
  }
  if (layout.decode_whole) {
    SLUICE_TRY(auto decoder, charset_decoder::find(layout.encoding));
    stream = charset_decoder::decoding_stream(std::move(decoder), std::move(stream));
  }
  return stream;
}

text_file_reader::text_file_reader(std::shared_ptr<const text_layout> layout,
                                   std::shared_ptr<const bound_columns> bound, const plugin_context& context)
    : layout_(std::move(layout)),
      bound_(std::move(bound)),
      scanner_(layout_->grammar),
      window_(scanner_, context.pool, window_bytes(context)) {
  row_cost_ = 2 * sizeof(std::uint32_t);  // its place
  for (const field& f : *bound_->columns_schema) {
    row_cost_ +=
        has_offsets(f.type.id) ? sizeof(std::int32_t) : std::max<std::size_t>(fixed_width(f.type.id), 1);
    row_cost_ += f.changed_as_read.empty() ? 0 : sizeof(changed_value);
  }
  for (const auto& c : bound_->columns) {
    row_cost_ += c.constant ? c.constant->size() : 0;
  }
}

result<std::unique_ptr<reader>> text_file_reader::make(std::shared_ptr<const text_layout> layout,
                                                       std::shared_ptr<const bound_columns> bound,
                                                       const plugin_context& context,
                                                       std::shared_ptr<const changed_files> changed) {
  auto made = std::make_unique<text_file_reader>(std::move(layout), std::move(bound), context);
  made->changed_ = std::move(changed);
  if (made->layout_->format == file_format::json) {
    made->rows_ = std::make_unique<json_rows>(*made->layout_, *made->bound_);
  } else {
    std::optional<charset_decoder> charset;
    if (!made->layout_->encoding_is_utf8) {
      SLUICE_TRY(charset, charset_decoder::find(made->layout_->encoding));
    }
    made->rows_ = std::make_unique<csv_rows>(*made->layout_, *made->bound_, std::move(charset));
  }
  return made;
}

result<void> text_file_reader::open(const scalar_list& split_description, const std::optional<cursor>& after,
                                    const stop_signal& stop) {
  file_.close();
  SLUICE_TRY(part_, file_part::from_description(split_description));
  next_ = 0;
  run_max_ = run_records_max;
  lines_before_.reset();
  source_bytes_before_ = 0;
  window_.digest().begin();
  if (part_.path.empty()) {
    window_.open(plain_stream(file_, 0, 0), 0, 1, false);
    return {};
  }
  if (auto opened = file_handle::open(part_.path)) {
    file_ = std::move(*opened);
  } else {
    // It was there when the run was planned.
    const bool gone = opened.error().kind == error_kind::bad_option;
    return fail(error{gone ? error_kind::source_changed : opened.error().kind, opened.error().message, {}});
  }
  SLUICE_TRY(const file_identity now, file_.identity());
  const bool as_planned = now == part_.identity;
  if (!as_planned) {
    SLUICE_CHECK(accept(now));
  }
  if (after) {
    return open_after(*after, as_planned, stop);
  }
  SLUICE_TRY(auto stream, open_stream(*layout_, file_, part_.from, part_.to));
  lines_known_ = part_.line != 0;
  lines_from_ = part_.from;
  skip_next_record_ = layout_->skip_header && part_.from == 0;
  window_.open(std::move(stream), part_.from, std::max<std::uint64_t>(part_.line, 1),
               part_.from == 0 && layout_->encoding_is_utf8);
  return {};
}

/// Of a file that is not as it was planned: whether a continued run may read it, and up to where.
result<void> text_file_reader::accept(const file_identity& now) {
  const auto found = changed_ == nullptr ? changed_files::const_iterator() : changed_->find(part_.path);
  if (changed_ == nullptr || found == changed_->end() || found->second != now) {
    return fail(error_kind::source_changed,
                "The file {} changed since the run was planned: it had {} bytes and has {}{}.",
                in_quotes(part_.path), part_.identity.size, now.size,
                now.size == part_.identity.size ? " and another modification time" : "");
  }
  if (part_.to == part_.identity.size) {
    part_.to = now.size;
  }
  return {};
}

result<void> text_file_reader::open_after(const cursor& after, bool as_planned, const stop_signal& stop) {
  SLUICE_TRY(const file_place place, file_place::from_cursor(after));
  const bool plain = layout_->compressed == compression::none && !layout_->decode_whole;
  running_digest& digest = window_.digest();
  SLUICE_TRY(auto stream, open_stream(*layout_, file_, plain ? place.byte : 0, part_.to));
  bool same = false;
  if (plain) {
    // Of a file that is as it was planned, the end of what was read is enough.
    const std::uint64_t bytes = place.byte - std::min(part_.from, place.byte);
    const std::uint64_t whole_blocks =
        as_planned ? bytes / running_digest::block_bytes * running_digest::block_bytes : 0;
    const auto before = plain_stream(file_, part_.from + whole_blocks, place.byte);
    same = whole_blocks == 0 || digest.restore(place.blocks, whole_blocks);
    SLUICE_TRY(const bool there, digest_up_to(*before, bytes, digest, part_.path, stop));
    same = same && there;
  } else {
    SLUICE_TRY(same, digest_up_to(*stream, place.byte, digest, part_.path, stop));
  }
  if (!same || digest.digest() != place.sum) {
    return fail(error_kind::source_changed,
                "The file {} is not the one that was read up to byte {}: its content before that differs.",
                in_quotes(part_.path), place.byte);
  }
  lines_known_ = place.line != 0;
  lines_from_ = place.byte;
  skip_next_record_ = false;
  source_bytes_before_ = stream->source_bytes();
  window_.open(std::move(stream), place.byte, std::max<std::uint64_t>(place.line, 1), false);
  return {};
}

result<read_answer> text_file_reader::read(batch_builder& builder, const stop_signal& stop) {
  for (;;) {
    if (next_ < window_.records()) {
      const std::size_t fitting = records_that_fit(builder);
      if (fitting == 0 && builder.records() != 0) {
        return finish(read_answer::kind::full, builder);
      }
      if (fitting == 0) {
        return read_answer{read_answer::kind::needs, bytes_for_next()};
      }
      SLUICE_CHECK(take(next_ + fitting, builder, stop));
      continue;
    }
    if (builder.records() != 0 &&
        (builder.full() || window_.offset(next_) - batch_offset_ >= batch_input_max)) {
      return finish(read_answer::kind::full, builder);
    }
    if (stop.fired()) {
      return fail(error_kind::cancelled, "stopped while reading {}", part_.path);
    }
    SLUICE_TRY(const auto answer, next_window(builder, stop));
    if (answer) {
      return answer->what == read_answer::kind::needs ? result<read_answer>(*answer)
                                                      : finish(answer->what, builder);
    }
  }
}

result<std::optional<read_answer>> text_file_reader::next_window(batch_builder& builder,
                                                                 const stop_signal& stop) {
  SLUICE_TRY(const auto outcome, window_.next(builder.limit().record_bytes_max));
  next_ = 0;
  switch (outcome) {
    case record_window::outcome::records: {
      const std::string_view all(window_.data(), window_.starts()[window_.records()]);
      window_is_text_ = !layout_->encoding_is_utf8 || is_utf8(all);
      return std::nullopt;
    }
    case record_window::outcome::end:
      return read_answer{read_answer::kind::end, 0};
    case record_window::outcome::grow: {
      if (builder.records() != 0) {
        return read_answer{read_answer::kind::full, 0};
      }
      // The record's values will be held beside the window.
      const std::uint64_t wanted = 2 * std::uint64_t{window_.bytes_wanted()};
      if (builder.limit().bytes_max < wanted) {
        return read_answer{read_answer::kind::needs, wanted};
      }
      window_.grow();
      return std::nullopt;
    }
    case record_window::outcome::skip:
      SLUICE_CHECK(refuse_skipped(builder, stop));
      return std::nullopt;
  }
  return fail(error_kind::internal, "A window of {} came to nothing.", part_.path);
}

/// What the next record takes alone: its values and, until it is done with, a window that grew for it.
std::uint64_t text_file_reader::bytes_for_next() const {
  const std::uint32_t* starts = window_.starts();
  const std::size_t window = starts[window_.records()] > window_bytes_max ? starts[window_.records()] : 0;
  return starts[next_ + 1] - starts[next_] + row_cost_ + window;
}

/// How many of the window's next records the builder has room for.
std::size_t text_file_reader::records_that_fit(const batch_builder& builder) const {
  const auto& limit = builder.limit();
  const std::size_t held = builder.bytes();
  const std::size_t left = window_.records() - next_;
  const std::uint32_t* starts = window_.starts();
  const auto cost = [&](std::size_t count) {
    return starts[next_ + count] - starts[next_] + count * row_cost_;
  };
  if (builder.records() != 0 &&
      (builder.rows() >= limit.rows_max || held >= limit.bytes_target ||
       window_.offset(next_ + 1) - batch_offset_ > std::numeric_limits<std::uint32_t>::max())) {
    return 0;
  }
  if (builder.records() == 0 && cost(1) >= limit.bytes_target) {
    return bytes_for_next() <= limit.bytes_max ? 1 : 0;
  }
  const std::size_t room = limit.bytes_target - std::min(held, limit.bytes_target);
  std::size_t low = 0;
  std::size_t high = std::min<std::size_t>(left, limit.rows_max - builder.rows());
  while (low < high) {
    const std::size_t middle = (low + high + 1) / 2;
    if (cost(middle) <= room) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

result<void> text_file_reader::take(std::size_t last, batch_builder& builder, const stop_signal& stop) {
  while (next_ < last) {
    if (builder.records() == 0) {
      batch_offset_ = window_.offset(next_);
      batch_line_ = window_.line(next_);
      builder.begin_places(part_.path, batch_offset_, lines_known_ ? batch_line_ : 0);
    }
    row_refusal refusal;
    standing s = standing::row;
    std::size_t end = next_;
    const std::size_t run_end = std::min(last, next_ + run_max_);
    while (end < run_end && (s = examine(end, refusal)) == standing::row) {
      ++end;
    }
    const std::size_t appended = rows_->append(window_, next_, end, builder, refusal);
    commit(next_, appended, builder);
    next_ = appended;
    if (appended < end || s == standing::refused) {
      SLUICE_CHECK(refuse(next_, refusal, builder, stop));
      ++next_;
      // Bad records come in swarms: what is tried in vain behind one shall be little.
      run_max_ = 1;
    } else {
      next_ += s == standing::left_out ? 1 : 0;
      run_max_ = std::min(2 * run_max_, run_records_max);
    }
  }
  return {};
}

text_file_reader::standing text_file_reader::examine(std::size_t record, row_refusal& refusal) {
  const std::size_t fields = window_.fields(record);
  if (layout_->format != file_format::json && !layout_->grammar.comment && !layout_->skip_empty &&
      !skip_next_record_ && window_is_text_ && fields >= bound_->fields_needed &&
      fields <= bound_->fields_exact.value_or(fields_max)) [[likely]] {
    return standing::row;
  }
  const std::string_view raw = window_.record(record);
  if (layout_->grammar.comment && raw.starts_with(*layout_->grammar.comment)) {
    return standing::left_out;
  }
  if (layout_->skip_empty && raw.empty()) {
    return standing::left_out;
  }
  if (skip_next_record_) {
    skip_next_record_ = false;
    return standing::left_out;
  }
  if (!window_is_text_ && !is_utf8(raw)) {
    refusal = {layout_->decode_whole ? dirty_code::invalid_encoding : dirty_code::invalid_utf8, {}, {}, {}};
    return standing::refused;
  }
  if (layout_->format == file_format::json) {
    return standing::row;
  }
  const bool fits = fields >= bound_->fields_needed && fields <= bound_->fields_exact.value_or(fields_max);
  if (!fits && rows_->is_unclosed(window_, record)) {
    refusal = {
        dirty_code::unclosed_quote,
        {},
        {},
        fmt::format("it stands in field {} of this record, which took all that follows into itself", fields)};
    return standing::refused;
  }
  if (fields < bound_->fields_needed) {
    refusal = {dirty_code::too_few_fields,
               {},
               {},
               fmt::format("it has {} and {} are needed", fields, bound_->fields_needed)};
    return standing::refused;
  }
  if (fields > bound_->fields_exact.value_or(fields_max)) {
    refusal = {
        dirty_code::too_many_fields,
        {},
        {},
        fmt::format("it has {} and {} are expected", fields, bound_->fields_exact.value_or(fields_max))};
    return standing::refused;
  }
  return standing::row;
}

void text_file_reader::commit(std::size_t first, std::size_t last, batch_builder& builder) {
  for (std::size_t r = first; r < last; ++r) {
    builder.place_row(static_cast<std::uint32_t>(window_.offset(r) - batch_offset_),
                      static_cast<std::uint32_t>(window_.line(r) - batch_line_));
    builder.commit_row();
  }
}

result<std::uint64_t> text_file_reader::absolute_line(std::uint64_t line, const stop_signal& stop) {
  if (lines_known_) {
    return line;
  }
  if (!lines_before_) {
    SLUICE_TRY(lines_before_, count_lines(layout_->grammar, file_, 0, lines_from_, stop));
  }
  return *lines_before_ + line;
}

result<void> text_file_reader::refuse(std::size_t record, const row_refusal& refusal, batch_builder& builder,
                                      const stop_signal& stop) {
  const std::string_view raw = window_.record(record);
  dirty_record dirty;
  dirty.side = dirty_side::reader;
  dirty.source = part_.path;
  SLUICE_TRY(dirty.line, absolute_line(window_.line(record), stop));
  dirty.byte_offset = window_.offset(record);
  dirty.code = to_string(refusal.code);
  dirty.value = refusal.value;
  std::string_view meaning = dirty_codes[static_cast<std::size_t>(refusal.code) - 1].meaning;
  std::string what;
  if (refusal.column) {
    const field& f = (*bound_->columns_schema)[*refusal.column];
    const auto& column = bound_->columns[*refusal.column];
    dirty.column = !f.name.empty() ? f.name : std::to_string(column.field);
    dirty.target_type = to_string(f.type);
    const value_parser& parser = bound_->parsers[*refusal.column];
    const bool other_spelling =
        refusal.value && refusal.code != dirty_code::duplicate_key && parser.refuses_spelling(*refusal.value);
    if (refusal.code == dirty_code::too_precise) {
      what = fmt::format(
          "{} in column {} has a fraction of a second, and the column's format has no place for "
          "it; give the column a format such as \"yyyy-MM-dd HH:mm:ss.SSS\". ",
          in_quotes(refusal.value.value_or("")), in_quotes(dirty.column));
    } else if (other_spelling) {
      what = fmt::format(
          "{} in column {} would be written otherwise as {}. Declare the column STRING, which keeps every "
          "text, or set otherSpelling to read where only the value counts. ",
          in_quotes(refusal.value.value_or("")), in_quotes(dirty.column), to_string(parser.declared()));
    } else if (refusal.code != dirty_code::duplicate_key && parser.declared() != declared_type::string_text) {
      what = fmt::format("{} in column {} is not {}. ", in_quotes(refusal.value.value_or("")),
                         in_quotes(dirty.column), parser.expected());
    }
    // What is expected is said already, and better: of a file's field this sentence's second half is wrong.
    const bool said = refusal.code == dirty_code::not_a_boolean || other_spelling ||
                      parser.declared() == declared_type::bytes;
    meaning = said ? std::string_view() : meaning;
  }
  dirty.message = fmt::format("{}{}", what, meaning);
  while (dirty.message.ends_with(' ')) {
    dirty.message.pop_back();
  }
  if (!refusal.detail.empty()) {
    dirty.message.insert(dirty.message.size() - 1, ": " + refusal.detail);
  }
  dirty.record = rows_->raw_fields(raw, window_, record);
  dirty.record_bytes = raw.size();
  builder.refuse(std::move(dirty), raw);
  return {};
}

/// A record that is not kept: it is over the limit of size or of fields.
result<void> text_file_reader::refuse_skipped(batch_builder& builder, const stop_signal& stop) {
  if (builder.records() == 0) {
    batch_offset_ = window_.offset(0);
    batch_line_ = window_.line(0);
    builder.begin_places(part_.path, batch_offset_, lines_known_ ? batch_line_ : 0);
  }
  SLUICE_TRY(auto skipped, window_.skip_record());
  if (skip_next_record_) {
    skip_next_record_ = false;
    return {};
  }
  dirty_record dirty;
  dirty.side = dirty_side::reader;
  dirty.source = part_.path;
  SLUICE_TRY(dirty.line, absolute_line(skipped.line, stop));
  dirty.byte_offset = skipped.offset;
  dirty.code = to_string(skipped.code);
  dirty.message = fmt::format(
      "{} It has {} bytes; only its beginning is kept. Where a quote is not closed, all that follows is one "
      "record.",
      dirty_codes[static_cast<std::size_t>(skipped.code) - 1].meaning, skipped.bytes);
  dirty.record_bytes = skipped.bytes;
  dirty.cut = true;
  dirty.sum = canonical_raw(skipped.head);
  dirty.record.push_back({"record", "", std::move(skipped.head)});
  builder.refuse(std::move(dirty), {});
  return {};
}

/// Sets the cursor behind the records taken.
result<read_answer> text_file_reader::finish(read_answer::kind what, batch_builder& builder) {
  if (!part_.path.empty()) {
    window_.digest_to(next_);
    builder.set_cursor(file_place{window_.offset(next_), lines_known_ ? window_.line(next_) : 0,
                                  window_.digest().digest(), window_.digest().blocks()}
                           .to_cursor());
  }
  if (window_.is_grown()) {
    window_.shrink(next_);
    next_ = std::min(next_, window_.records());
  }
  return read_answer{what, 0};
}

}  // namespace sluice
