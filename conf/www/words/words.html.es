<!--#set var="lang" value="es"-->
<!--#include virtual="$PAGE"-->
