// The CSV reader against the slow reference, in windows and batches of any size. The first two bytes choose
// options.
#include "tests/fuzz/text_fuzz.h"
#include "tests/support/csv_reference.h"
#include "transport/record/utf8.h"

using namespace sluice;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  csv_reference::dialect d;
  d.quoting = (data[0] & 1) != 0;
  if ((data[0] & 2) != 0) {
    d.null_text = (data[0] & 4) != 0 ? "" : "N";
  }
  d.delimiter = (data[0] & 8) != 0 ? ';' : ',';
  const std::string_view content(reinterpret_cast<const char*>(data) + 2, size - 2);
  nlohmann::json parameter = {
      {"fileFormat", d.quoting ? "csv" : "text"},
      {"fieldDelimiter", std::string(1, d.delimiter)},
      {"column", {{{"index", 0}, {"type", "string"}}, {{"index", 1}, {"type", "string"}}}}};
  if (d.null_text) {
    parameter["nullFormat"] = *d.null_text;
  }
  const auto read_actual = text_fuzz::read(content, parameter, 1U + data[1]);
  if (!read_actual) {
    return 0;
  }
  const text_fuzz::outcome& actual = *read_actual;

  const std::size_t mark = content.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  std::size_t rows = 0;
  std::size_t dirty = 0;
  for (const auto& r : csv_reference::read(content.substr(mark), d)) {
    std::string code = csv_reference::refusal(r, 2);
    code = is_utf8(content.substr(mark + r.offset, r.size)) ? code : "invalid_utf8";
    if (!code.empty()) {
      text_fuzz::require(
          dirty < actual.dirty.size() && actual.dirty[dirty] == std::pair(std::uint64_t{r.line}, code),
          "the refusal of the reference");
      ++dirty;
      continue;
    }
    text_fuzz::require(rows < actual.rows.size(), "the row of the reference");
    const auto& row = actual.rows[rows++];
    text_fuzz::require(row.values[0] == r.fields[0] && row.values[1] == r.fields[1],
                       "the values of the reference");
    text_fuzz::require(row.offset == mark + r.offset && row.line == r.line, "the place of the reference");
  }
  text_fuzz::require(rows == actual.rows.size() && dirty == actual.dirty.size(),
                     "no record more than the reference");
  return 0;
}
