-- The caller ends in order.
begin()
call('ZREM', P .. ':instances', instance)
return reply()
