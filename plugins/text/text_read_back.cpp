#include "plugins/text/text_read_back.h"

#include <fmt/format.h>

#include <memory>

#include "plugins/common/output/value_printer.h"
#include "plugins/text/bytes_form.h"
#include "plugins/text/text_writer_options.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// The text of a value without regard to NULL and to the text that stands for it.
result<written_text> plain_text_of(const field& f, const time_zone_ptr& zone, const text_writer_options& o) {
  if (f.type.id == type_id::binary && o.bytes != bytes_form::text) {
    return [form = o.bytes](const column& c, std::uint32_t row, std::string& to) {
      append_bytes_as(form, c.get_bytes(row), to);
      return true;
    };
  }
  if (has_offsets(f.type.id)) {
    return [](const column& c, std::uint32_t row, std::string& to) {
      to += c.get_bytes(row);
      return true;
    };
  }
  SLUICE_TRY(auto printer, value_printer::make(f.type, {.zone = zone, .date_format = o.date_format}));
  return [printer = std::make_shared<const value_printer>(std::move(printer))](
             const column& c, std::uint32_t row, std::string& to) {
    const std::size_t before = to.size();
    to.resize(before + printer->chars_max());
    const auto written = printer->write(c, row, to.data() + before);
    to.resize(written.code == dirty_code::none ? static_cast<std::size_t>(written.end - to.data()) : before);
    return written.code == dirty_code::none;
  };
}

}  // namespace

result<read_back> text_read_back(const option_values& writer, const std::vector<std::string>& columns) {
  SLUICE_TRY(const text_writer_options o, parse_text_writer_options(writer));
  SLUICE_TRY(const auto folder, writer.text("path"));
  const std::string name = o.file_name + (o.single_file ? o.suffix : "");
  if (name.find_first_of("*?") != std::string::npos) {
    return writer.bad("fileName",
                      fmt::format("{} has a character that means any other in a reader's path, so that "
                                  "the files cannot be named to read them again",
                                  in_quotes(name)));
  }
  const bool json = o.format == file_format::json;
  nlohmann::json listed = nlohmann::json::array();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string& named = i < o.header.size() ? o.header[i] : columns[i];
    listed.push_back(json ? nlohmann::json{{"name", named}, {"type", "string"}}
                          : nlohmann::json{{"index", i}, {"name", named}, {"type", "string"}});
  }
  read_back out;
  out.changes = {{"path", {fmt::format("{}/{}{}", folder.value_or(""), name, o.single_file ? "" : "*")}},
                 {"fileName", nullptr},
                 {"writeMode", nullptr},
                 {"column", std::move(listed)},
                 {"fileFormat", to_string(o.format)},
                 {"nullFormat", nullptr},
                 {"markDoneFileName", nullptr},
                 {"skipHeader", !o.header.empty() && !json},
                 {"skipEmptyRecords", false},
                 {"bytesFormat", nullptr},
                 {"otherFields", "dirty"},
                 {"csvReaderConfig", {{"safetySwitch", false}}}};
  if (o.format == file_format::csv) {
    out.changes["nullFormat"] = o.null_text;
    out.changes["csvReaderConfig"]["textQualifier"] = std::string(1, o.quote);
  }
  // Without quotes NULL and a text like it are one thing.
  const bool one_thing = o.format == file_format::text;
  out.text_of = [o, one_thing](const field& f, const time_zone_ptr& zone) -> result<written_text> {
    SLUICE_TRY(auto plain, plain_text_of(f, zone, o));
    return [plain, one_thing, null_text = o.null_text](const column& c, std::uint32_t row, std::string& to) {
      const std::size_t before = to.size();
      if (c.is_null(row) || !plain(c, row, to)) {
        return false;
      }
      if (one_thing && std::string_view(to).substr(before) == null_text) {
        to.resize(before);
        return false;
      }
      return true;
    };
  };
  return out;
}

}  // namespace sluice
