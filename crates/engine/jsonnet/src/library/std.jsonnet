// Functions that take more kinds of values than the interpreter's, or refuse more.
{
  isNull(v):: v == null,
  deg2rad(x):: x * 3.141592653589793 / 180,
  rad2deg(x):: x * 180 / 3.141592653589793,
  escapeStringJson(str_):: std.escapeStringJson($.toString(str_)),
  escapeStringPython(str):: std.escapeStringPython($.toString(str)),
  makeArray(sz, func):: std.makeArray(if std.isNumber(sz) && sz < 0 then 0 else sz, func),
  foldl(func, arr, init)::
    std.foldl(func, if std.isString(arr) then std.stringChars(arr) else arr, init),
  foldr(func, arr, init)::
    std.foldr(func, if std.isString(arr) then std.stringChars(arr) else arr, init),
  uniq(arr, keyF=function(x) x)::
    std.uniq(if std.isString(arr) then std.stringChars(arr) else arr, keyF),
  local cuts(name, c) =
    if std.isString(c) && c == '' then
      error 'std.' + name + ' second parameter should have length 1 or greater, got 0',
  split(str, c)::
    if cuts('split', c) == null then std.split(str, c),
  splitLimit(str, c, maxsplits)::
    if cuts('splitLimit', c) == null then std.splitLimit(str, c, maxsplits),
  splitLimitR(str, c, maxsplits)::
    if cuts('splitLimitR', c) == null then std.splitLimitR(str, c, maxsplits),
  strReplace(str, from, to)::
    if std.isString(from) && from == '' then error "'from' string must not be zero length."
    else std.strReplace(str, from, to),
  base64(input)::
    if !std.isString(input) then std.base64(input) else
      local points = std.map(std.codepoint, std.stringChars(input));
      local high = std.filter(function(point) point > 255, points);
      if std.length(high) > 0 then
        error 'base64 encountered invalid codepoint value in the array (must be 0 <= X <= 255), got '
              + high[0]
      else std.base64(input),
  mergePatch(target, patch)::
    local merged(target, patch) =
      if !std.isObject(patch) then patch else
        local there = if std.isObject(target) then target else {};
        { [name]: there[name] for name in std.objectFields(there) if !std.objectHas(patch, name) }
        + {
          [name]: merged(if std.objectHas(there, name) then there[name], patch[name])
          for name in std.objectFields(patch)
          if patch[name] != null
        };
    merged(target, patch),
  manifestYamlStream(value, indent_array_in_object=false, c_document_end=true, quote_keys=true)::
    if !std.isArray(value) then
      error 'manifestYamlStream only takes arrays, got ' + std.type(value)
    else
      local documents = [
        $.manifestYamlDoc(document, indent_array_in_object, quote_keys)
        for document in value
      ];
      '---\n' + std.join('\n---\n', documents) + (if c_document_end then '\n...\n' else '\n'),
}
