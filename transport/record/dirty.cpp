#include "transport/record/dirty.h"

namespace sluice {

std::string_view to_string(dirty_side side) {
  switch (side) {
    case dirty_side::reader:
      return "reader";
    case dirty_side::channel:
      return "channel";
    case dirty_side::writer:
      return "writer";
  }
  return "?";
}

std::uint64_t dirty_record::bytes_held() const {
  std::uint64_t bytes = sizeof(dirty_record) + source.size() + key.size() + column.size() +
                        (value ? value->size() : 0) + target_type.size() + code.size() + message.size();
  for (const dirty_field& f : record) {
    bytes += sizeof(dirty_field) + f.name.size() + f.type.size() + (f.text ? f.text->size() : 0);
  }
  return bytes;
}

}  // namespace sluice
