// The door to JavaScript: plain Node-API.
//
//   variants()                                   [{ name, supported, traits }], best first
//   allocate(bytes, zeros = true)                ArrayBuffer, aligned to 64 bytes
//   release(buffer)                              gives its memory back now
//   program(name, code, blocks)                  a plan ready to run; blocks: views, or null where a run says which
//   run(program, views, threads, times?)         runs it here; undefined, or [fault, step, value]
//   start(program, views, threads, times?)       the same on another thread; a promise
//
// `views` fill the null blocks in order. Callers keep a program's buffers alive and unreleased while it is used; the
// program itself holds references to the blocks.
#include <node_api.h>
#include <stdlib.h>
#include <string.h>

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cpu.hpp"
#include "pool.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace {

using namespace espalier;

#define CHECK_NAPI(call)                                        \
  do {                                                          \
    if ((call) != napi_ok) return fail(env, "the call " #call " failed"); \
  } while (0)

napi_value fail(napi_env env, const char* message) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && !pending)
    napi_throw_error(env, "ERR_ESPALIER_NATIVE", message);
  return nullptr;
}

struct View {
  uint8_t* data = nullptr;
  size_t bytes = 0;
};

size_t element_bytes(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array: return 1;
    case napi_int16_array:
    case napi_uint16_array: return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array: return 4;
    default: return 8;
  }
}

bool read_view(napi_env env, napi_value value, View* view) {
  bool typed = false;
  if (napi_is_typedarray(env, value, &typed) != napi_ok || !typed) return false;
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) return false;
  *view = {static_cast<uint8_t*>(data), length * element_bytes(type)};
  return true;
}

struct Program {
  const Variant* variant;
  std::vector<int32_t> code;
  std::vector<uint8_t*> spaces;
  std::vector<int> open;  // spaces that a run fills
  napi_ref blocks = nullptr;
};

// --- memory

constexpr size_t huge_page = size_t(2) << 20;

#if defined(__linux__)
// From this size on, memory comes from the system, which gives zeros without writing them all at once.
constexpr size_t mapped_from = size_t(256) << 10;

size_t mapped_bytes(size_t bytes) { return (bytes + 4095) / 4096 * 4096; }
#endif

// Zeros.
void* take(size_t bytes) {
#if defined(__linux__)
  if (bytes >= mapped_from) {
    void* p = mmap(nullptr, mapped_bytes(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return nullptr;
    // Weights and activations are walked from end to end: large pages spare most look-ups of addresses.
    if (bytes >= huge_page) madvise(p, mapped_bytes(bytes), MADV_HUGEPAGE);
    return p;
  }
#endif
  const size_t size = (bytes + 63) / 64 * 64;
  void* p = aligned_alloc(64, size ? size : 64);
  if (p) memset(p, 0, size);
  return p;
}

void give(napi_env, void* data, void* hint) {
#if defined(__linux__)
  const size_t bytes = reinterpret_cast<size_t>(hint);
  if (bytes >= mapped_from) {
    munmap(data, mapped_bytes(bytes));
    return;
  }
#else
  (void)hint;
#endif
  free(data);
}

// Results come and go in nearly the same sizes, run after run, and memory that is new to the process costs a page fault for
// every 4 KiB: what is given back is kept for the next of its class, an eighth of a power of two.
struct Shelf {
  // Of what is kept and what is out: a host gives results back only between turns of its event loop, and a loop that never
  // ends one must not pile them up here.
  static constexpr size_t limit = size_t(320) << 20;
  std::mutex mutex;
  std::map<size_t, std::vector<void*>> kept;
  size_t bytes = 0, lent = 0;

  // Of what is out, a host is told only what goes beyond this. For every 64 MiB that it is told of it looks for what can
  // be collected, which takes longer than many a run: with results of tens of megabytes it would do little else.
  static constexpr size_t untold = size_t(192) << 20;

  static size_t class_of(size_t size) {
    size_t step = 4096;
    while (step * 16 < size) step *= 2;
    return (size + step - 1) / step * step;
  }

  // `size` is that of a class. Null where the limit is reached. Says whether the host is to be told.
  void* take(size_t size, bool* told) {
    const std::lock_guard<std::mutex> guard(mutex);
    const auto found = kept.find(size);
    if (found != kept.end() && !found->second.empty()) {
      void* p = found->second.back();
      found->second.pop_back();
      lent += size;
      *told = lent > untold;
      return p;
    }
    for (auto& [other, blocks] : kept)
      for (; bytes + size > limit && !blocks.empty(); blocks.pop_back(), bytes -= other) free(blocks.back());
    if (bytes + size > limit) return nullptr;
    void* p = aligned_alloc(64, size);
    if (p) bytes += size, lent += size;
    *told = lent > untold;
    return p;
  }
  void give(void* p, size_t size) {
    const std::lock_guard<std::mutex> guard(mutex);
    kept[size].push_back(p);
    lent -= size;
  }
};

// Never destroyed: results may be collected while the process ends.
Shelf& shelf() {
  static Shelf* const only = new Shelf;
  return *only;
}

// A buffer over memory of ours; where the host allows none (Electron), null, and `back` is called.
napi_value buffer_over(napi_env env, void* p, size_t bytes, napi_finalize back, size_t hint) {
  napi_value buffer;
  if (napi_create_external_arraybuffer(env, p, bytes, back, reinterpret_cast<void*>(hint), &buffer) == napi_ok) return buffer;
  back(env, p, reinterpret_cast<void*>(hint));
  return nullptr;
}

bool read_size(napi_env env, napi_callback_info info, size_t* bytes) {
  size_t argc = 1;
  napi_value argument;
  int64_t number = 0;
  if (napi_get_cb_info(env, info, &argc, &argument, nullptr, nullptr) == napi_ok &&
      napi_get_value_int64(env, argument, &number) == napi_ok && number >= 0) {
    *bytes = size_t(number);
    return true;
  }
  fail(env, "a size is wanted");
  return false;
}

// allocate(bytes): zeros.
napi_value allocate(napi_env env, napi_callback_info info) {
  size_t bytes;
  if (!read_size(env, info, &bytes)) return nullptr;
  void* p = take(bytes);
  if (!p) return fail(env, "out of memory");
  if (napi_value buffer = buffer_over(env, p, bytes, give, bytes)) return buffer;
  // The host's, aligned as it likes.
  napi_value buffer;
  CHECK_NAPI(napi_create_arraybuffer(env, bytes, &p, &buffer));
  return buffer;
}

// What a host believes to be held outside of its heap.
void tell(napi_env env, int64_t change) {
  int64_t now;
  napi_adjust_external_memory(env, change, &now);
}

// borrow(bytes): whatever was there; undefined where the host had better take its own.
napi_value borrow(napi_env env, napi_callback_info info) {
  size_t bytes;
  if (!read_size(env, info, &bytes)) return nullptr;
  const size_t size = Shelf::class_of(bytes);
  bool told = false;
  void* p = shelf().take(size, &told);
  if (!p) return nullptr;
  if (told) {
    const auto keep = [](napi_env, void* data, void* hint) { shelf().give(data, reinterpret_cast<size_t>(hint)); };
    return buffer_over(env, p, bytes, keep, size);
  }
  const auto keep = [](napi_env env, void* data, void* hint) {
    const size_t size = reinterpret_cast<size_t>(hint);
    shelf().give(data, size);
    tell(env, int64_t(size));
  };
  tell(env, -int64_t(size));
  return buffer_over(env, p, bytes, keep, size);
}

napi_value release(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value buffer;
  CHECK_NAPI(napi_get_cb_info(env, info, &argc, &buffer, nullptr, nullptr));
  bool detached = true;
  CHECK_NAPI(napi_is_detached_arraybuffer(env, buffer, &detached));
  if (!detached) CHECK_NAPI(napi_detach_arraybuffer(env, buffer));
  return nullptr;
}

// --- variants

napi_value variants(napi_env env, napi_callback_info) {
  napi_value list;
  CHECK_NAPI(napi_create_array(env, &list));
  uint32_t index = 0;
  for (const Candidate& candidate : candidates()) {
    napi_value entry, name, supported, traits, memory;
    void* data;
    const size_t bytes = candidate.variant->trait_count * sizeof(int32_t);
    CHECK_NAPI(napi_create_object(env, &entry));
    CHECK_NAPI(napi_create_string_utf8(env, candidate.variant->name, NAPI_AUTO_LENGTH, &name));
    CHECK_NAPI(napi_get_boolean(env, candidate.supported, &supported));
    CHECK_NAPI(napi_create_arraybuffer(env, bytes, &data, &memory));
    memcpy(data, candidate.variant->traits, bytes);
    CHECK_NAPI(napi_create_typedarray(env, napi_int32_array, candidate.variant->trait_count, memory, 0, &traits));
    CHECK_NAPI(napi_set_named_property(env, entry, "name", name));
    CHECK_NAPI(napi_set_named_property(env, entry, "supported", supported));
    CHECK_NAPI(napi_set_named_property(env, entry, "traits", traits));
    CHECK_NAPI(napi_set_element(env, list, index++, entry));
  }
  return list;
}

// --- programs

napi_value program(napi_env env, napi_callback_info info) {
  size_t argc = 3;
  napi_value arguments[3];
  CHECK_NAPI(napi_get_cb_info(env, info, &argc, arguments, nullptr, nullptr));
  if (argc < 3) return fail(env, "program(name, code, blocks)");
  char name[32];
  size_t length;
  CHECK_NAPI(napi_get_value_string_utf8(env, arguments[0], name, sizeof name, &length));
  auto made = std::make_unique<Program>();
  made->variant = nullptr;
  for (const Candidate& candidate : candidates())
    if (candidate.supported && strcmp(candidate.variant->name, name) == 0) made->variant = candidate.variant;
  if (!made->variant) return fail(env, "this processor cannot run that variant");
  View code;
  if (!read_view(env, arguments[1], &code)) return fail(env, "the code is no typed array");
  made->code.resize(code.bytes / sizeof(int32_t));
  memcpy(made->code.data(), code.data, made->code.size() * sizeof(int32_t));
  uint32_t count;
  CHECK_NAPI(napi_get_array_length(env, arguments[2], &count));
  made->spaces.resize(count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value block;
    CHECK_NAPI(napi_get_element(env, arguments[2], i, &block));
    View view;
    if (read_view(env, block, &view)) made->spaces[i] = view.data;
    else made->open.push_back(int(i));
  }
  CHECK_NAPI(napi_create_reference(env, arguments[2], 1, &made->blocks));
  napi_value handle;
  CHECK_NAPI(napi_create_external(
      env, made.get(),
      [](napi_env e, void* data, void*) {
        auto* p = static_cast<Program*>(data);
        if (p->blocks) napi_delete_reference(e, p->blocks);
        delete p;
      },
      nullptr, &handle));
  made.release();
  return handle;
}

struct Call {
  Program* program = nullptr;
  std::vector<uint8_t*> spaces;
  double* times = nullptr;
  int32_t threads = 1;
  Fault fault;

  void run() {
    const Job job{program->variant, program->code.data(), int64_t(program->code.size()), spaces.data(), times};
    fault = run_on_pool(job, threads);
  }
};

// Reads (program, views, threads, times?).
bool read_call(napi_env env, size_t argc, const napi_value* arguments, Call* call) {
  void* data = nullptr;
  if (argc < 3 || napi_get_value_external(env, arguments[0], &data) != napi_ok) {
    fail(env, "run(program, views, threads, times?)");
    return false;
  }
  call->program = static_cast<Program*>(data);
  call->spaces = call->program->spaces;
  uint32_t count = 0;
  if (napi_get_array_length(env, arguments[1], &count) != napi_ok || count != call->program->open.size()) {
    fail(env, "the number of views is not the number of open blocks");
    return false;
  }
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    View view;
    if (napi_get_element(env, arguments[1], i, &element) != napi_ok || !read_view(env, element, &view)) {
      fail(env, "a view is no typed array");
      return false;
    }
    call->spaces[call->program->open[i]] = view.data;
  }
  View times;
  if (argc > 3 && read_view(env, arguments[3], &times)) call->times = reinterpret_cast<double*>(times.data);
  return napi_get_value_int32(env, arguments[2], &call->threads) == napi_ok;
}

napi_value fault_value(napi_env env, const Fault& fault) {
  napi_value result;
  if (fault.code == no_fault) {
    CHECK_NAPI(napi_get_undefined(env, &result));
    return result;
  }
  CHECK_NAPI(napi_create_array(env, &result));
  const int64_t numbers[] = {fault.code, fault.step, fault.value};
  for (uint32_t i = 0; i < 3; i++) {
    napi_value number;
    CHECK_NAPI(napi_create_int64(env, numbers[i], &number));
    CHECK_NAPI(napi_set_element(env, result, i, number));
  }
  return result;
}

napi_value run(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value arguments[4];
  CHECK_NAPI(napi_get_cb_info(env, info, &argc, arguments, nullptr, nullptr));
  Call call;
  if (!read_call(env, argc, arguments, &call)) return nullptr;
  call.run();
  return fault_value(env, call.fault);
}

struct Work {
  Call call;
  napi_async_work handle = nullptr;
  napi_deferred deferred = nullptr;
  napi_ref kept = nullptr;  // program and views
};

void finish(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Work> work(static_cast<Work*>(data));
  napi_value result;
  if (status == napi_ok) {
    result = fault_value(env, work->call.fault);
    if (result) napi_resolve_deferred(env, work->deferred, result);
  } else {
    napi_value message;
    napi_create_string_utf8(env, "the run was cancelled", NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, nullptr, message, &result);
    napi_reject_deferred(env, work->deferred, result);
  }
  napi_delete_reference(env, work->kept);
  napi_delete_async_work(env, work->handle);
}

napi_value start(napi_env env, napi_callback_info info) {
  size_t argc = 4;
  napi_value arguments[4];
  CHECK_NAPI(napi_get_cb_info(env, info, &argc, arguments, nullptr, nullptr));
  auto work = std::make_unique<Work>();
  if (!read_call(env, argc, arguments, &work->call)) return nullptr;
  napi_value kept, name, promise;
  CHECK_NAPI(napi_create_array(env, &kept));
  for (uint32_t i = 0; i < argc; i++) CHECK_NAPI(napi_set_element(env, kept, i, arguments[i]));
  CHECK_NAPI(napi_create_reference(env, kept, 1, &work->kept));
  CHECK_NAPI(napi_create_promise(env, &work->deferred, &promise));
  CHECK_NAPI(napi_create_string_utf8(env, "espalier", NAPI_AUTO_LENGTH, &name));
  CHECK_NAPI(napi_create_async_work(
      env, nullptr, name, [](napi_env, void* data) { static_cast<Work*>(data)->call.run(); }, finish, work.get(),
      &work->handle));
  CHECK_NAPI(napi_queue_async_work(env, work->handle));
  work.release();
  return promise;
}

}  // namespace

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {{"variants", variants}, {"allocate", allocate}, {"borrow", borrow}, {"release", release},
                   {"program", program},   {"run", run},           {"start", start}};
  for (const auto& [name, call] : functions) {
    napi_value value;
    CHECK_NAPI(napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &value));
    CHECK_NAPI(napi_set_named_property(env, exports, name, value));
  }
  return exports;
}
