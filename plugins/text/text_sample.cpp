#include "plugins/text/text_sample.h"

#include "plugins/common/files/file_handle.h"
#include "plugins/text/field_decoder.h"
#include "plugins/text/record_window.h"
#include "plugins/text/text_file_reader.h"
#include "transport/base/utf8.h"

namespace sluice {
namespace {

/// Takes one record of the window; adds what it holds to `bytes`.
void take_record(const text_layout& layout, const record_window& window, std::size_t r,
                 field_decoder& decoder, text_sample& sample, std::size_t& bytes) {
  const std::string_view raw = window.record(r);
  if (layout.skip_empty && raw.empty()) {
    ++sample.empty_records;
    return;
  }
  bytes += raw.size();
  if (layout.format == file_format::json) {
    sample.is_text = sample.is_text && is_utf8(raw);
    sample.lines.emplace_back(raw);
    return;
  }
  std::vector<sampled_field> row;
  bool dirty = false;
  for (std::size_t f = 0; f < window.fields(r); ++f) {
    const auto field = decoder.decode(window.field(r, f));
    dirty = dirty || field.code != dirty_code::none;
    sample.is_text = sample.is_text && is_utf8(field.text);
    row.push_back({std::string(field.text), field.quoted});
    bytes += sizeof(sampled_field);
  }
  if (dirty) {
    ++sample.dirty;
  } else {
    sample.rows.push_back(std::move(row));
  }
}

}  // namespace

result<text_sample> read_sample(const text_layout& layout, const std::string& path, std::size_t rows_max) {
  text_sample sample;
  SLUICE_TRY(const file_handle file, file_handle::open(path));
  SLUICE_TRY(const file_identity identity, file.identity());
  SLUICE_TRY(auto stream, open_stream(layout, file, 0, identity.size));
  const csv_scanner scanner(layout.grammar);
  record_window window(scanner, buffer_pool::make(0), std::size_t{256} << 10);
  window.open(std::move(stream), 0, 1, layout.encoding_is_utf8);
  std::optional<charset_decoder> charset;
  if (!layout.encoding_is_utf8) {
    SLUICE_TRY(charset, charset_decoder::find(layout.encoding));
  }
  field_decoder decoder(layout.grammar, std::move(charset), std::nullopt);
  std::size_t bytes = 0;
  while (sample.rows.size() + sample.lines.size() < rows_max && bytes < sample_bytes_max) {
    SLUICE_TRY(const auto outcome, window.next(sample_bytes_max));
    switch (outcome) {
      case record_window::outcome::end:
        sample.whole_file = true;
        return sample;
      case record_window::outcome::grow:
        window.grow();
        continue;
      case record_window::outcome::skip:
        SLUICE_CHECK(window.skip_record());
        ++sample.dirty;
        continue;
      case record_window::outcome::records:
        break;
    }
    for (std::size_t r = 0; r < window.records() && sample.rows.size() + sample.lines.size() < rows_max;
         ++r) {
      take_record(layout, window, r, decoder, sample, bytes);
    }
  }
  return sample;
}

}  // namespace sluice
