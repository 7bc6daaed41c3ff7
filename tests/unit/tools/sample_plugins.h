#pragma once

#include <vector>

#include "plugins/api/plugin.h"

namespace sluice::testing {

/// Two plugins that are only descriptions: `file` reads and writes, `sink` only writes.
inline const std::vector<plugin>& sample_plugins() {
  static const side_description file_side = [] {
    side_description side;
    option path;
    path.name = "path";
    path.type = option_type::text_list;
    path.meaning = "Files to read.";
    path.required = true;
    option password;
    password.name = "password";
    password.meaning = "Opens the archive.";
    password.secret = true;
    option delimiter;
    delimiter.name = "delimiter";
    delimiter.type = option_type::delimiter;
    delimiter.meaning = "Between fields.";
    delimiter.default_text = ",";
    option config;
    config.name = "config";
    config.type = option_type::object;
    config.meaning = "More.";
    option depth;
    depth.name = "depth";
    depth.type = option_type::integer;
    depth.meaning = "How deep.";
    config.members = {depth};
    side.options = {path, password, delimiter, config};
    side.can.splits = "by byte ranges";
    return side;
  }();
  static const side_description sink_side;
  static const std::vector<plugin> plugins = [] {
    plugin file;
    file.name = "file";
    file.aliases = {"csv"};
    file.datax_readers = {"txtfilereader"};
    file.datax_writers = {"txtfilewriter"};
    file.summary = "Files.";
    file.reads = &file_side;
    file.writes = &file_side;
    plugin sink;
    sink.name = "sink";
    sink.summary = "A sink.";
    sink.writes = &sink_side;
    return std::vector<plugin>{file, sink};
  }();
  return plugins;
}

}  // namespace sluice::testing
