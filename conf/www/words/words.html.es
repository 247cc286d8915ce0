<!--#set var="lang" value="es"-->
<!--#set var="w_site" value="Valorar las charlas"-->
<!--#set var="w_all_talks" value="Todas las charlas"-->
<!--#set var="w_question" value="¿Qué tal la charla?"-->
<!--#set var="w_value_1" value="floja"-->
<!--#set var="w_value_2" value="regular"-->
<!--#set var="w_value_3" value="buena"-->
<!--#set var="w_value_4" value="muy buena"-->
<!--#set var="w_value_5" value="excelente"-->
<!--#set var="w_send" value="Enviar valoración"-->
<!--#set var="w_withdraw" value="Retirar mi valoración"-->
<!--#set var="w_hint_change" value="Otro número la cambia; el mismo la retira."-->
<!--#set var="w_hint_once" value="Una valoración por navegador. Después no se puede cambiar."-->
<!--#set var="w_hint_keys" value="Las flechas eligen, Intro envía."-->
<!--#set var="w_early" value="Se puede valorar a partir de:"-->
<!--#set var="w_closed" value="El plazo para valorar ha terminado."-->
<!--#set var="w_open_until" value="Se puede valorar hasta:"-->
<!--#set var="w_sending" value="Enviando…"-->
<!--#set var="w_stored" value="Guardada. La valoración ya cuenta."-->
<!--#set var="w_pending" value="Guardada, pero aún sin contar. Se contará enseguida."-->
<!--#set var="w_withdrawn" value="Retirada. La valoración ya no cuenta."-->
<!--#set var="w_withdrawn_pending" value="Retirada, aunque seguirá contando un momento."-->
<!--#set var="w_queued_offline" value="Todavía sin guardar: no hay conexión. La valoración queda en este navegador y se enviará en cuanto la haya."-->
<!--#set var="w_queued_busy" value="Todavía sin guardar: el servicio no está disponible ahora. La valoración queda en este navegador y se volverá a enviar sola."-->
<!--#set var="w_queued_rate" value="Todavía sin guardar: demasiados cambios en poco tiempo. Nuevo intento en {seconds} s."-->
<!--#set var="w_queued_unknown" value="Aún no hay respuesta. La valoración se volverá a enviar sola y contará una sola vez."-->
<!--#set var="w_refused_early" value="No se ha guardado: esta charla se puede valorar a partir de:"-->
<!--#set var="w_refused_closed" value="No se ha guardado: el plazo para valorar esta charla ha terminado."-->
<!--#set var="w_refused_window" value="No se ha guardado: esta charla no se puede valorar ahora."-->
<!--#set var="w_refused_voter" value="No se ha guardado: este navegador aún no era conocido. Basta con intentarlo otra vez."-->
<!--#set var="w_refused_talk" value="No se ha guardado: esta charla ya no existe."-->
<!--#set var="w_refused" value="No se ha guardado: el servicio no la ha aceptado."-->
<!--#set var="w_failed" value="No se ha guardado: algo ha fallado. Más tarde se puede intentar de nuevo."-->
<!--#set var="w_failed_unknown" value="No se sabe si se ha guardado: la respuesta se ha perdido. No se vuelve a enviar para que no cuente dos veces."-->
<!--#set var="w_again" value="No se ha guardado: el servicio no está disponible ahora. En un momento se puede intentar de nuevo."-->
<!--#set var="w_again_rate" value="No se ha guardado: demasiados cambios en poco tiempo. Tras un momento se puede intentar de nuevo."-->
<!--#set var="w_again_unknown" value="Aún no se sabe si la valoración se ha guardado. Quizá lo digan los resultados de abajo."-->
<!--#set var="w_results" value="Resultados"-->
<!--#set var="w_average" value="Media"-->
<!--#set var="w_interval" value="entre {low} y {high}, con un 95 % de certeza"-->
<!--#set var="w_ratings_one" value="{n} valoración"-->
<!--#set var="w_ratings_other" value="{n} valoraciones"-->
<!--#set var="w_no_ratings" value="Aún no hay valoraciones"-->
<!--#set var="w_rating" value="Valoración"-->
<!--#set var="w_number" value="Cantidad"-->
<!--#set var="w_hidden" value="Los resultados aún no se muestran."-->
<!--#set var="w_hidden_until" value="Los resultados estarán aquí a partir de:"-->
<!--#set var="w_unavailable" value="Ahora mismo no se pueden mostrar los resultados."-->
<!--#set var="w_stale" value="Sin actualizar: datos de las {time}."-->
<!--#set var="w_search" value="Buscar por título o ponente"-->
<!--#set var="w_now" value="Ahora"-->
<!--#set var="w_ended" value="Acaba de terminar"-->
<!--#set var="w_next" value="Después, a las {time}"-->
<!--#set var="w_day" value="Día"-->
<!--#set var="w_every_day" value="Todos los días"-->
<!--#set var="w_track" value="Temática"-->
<!--#set var="w_every_track" value="Todas las temáticas"-->
<!--#set var="w_no_time" value="Sin hora"-->
<!--#set var="w_talks_one" value="{n} charla"-->
<!--#set var="w_talks_other" value="{n} charlas"-->
<!--#set var="w_no_match" value="No hay ninguna charla así."-->
<!--#set var="w_more" value="Más charlas"-->
<!--#set var="w_rated" value="valorada con {n}"-->
<!--#set var="w_list_unavailable" value="Ahora mismo no se pueden cargar las charlas. Nuevo intento…"-->
<!--#set var="w_no_script" value="Esta lista necesita JavaScript. La página de cada charla, la que abre su código QR, funciona sin él."-->
<!--#set var="w_zone" value="Las horas son las de {zone}."-->
<!--#set var="w_wall" value="Para la pantalla"-->
<!--#set var="w_ranking" value="Las mejor valoradas"-->
<!--#set var="w_ranking_hint" value="Cuenta lo que es seguro: el límite inferior del intervalo."-->
<!--#set var="w_sheet" value="Códigos QR para imprimir"-->
<!--#set var="w_print" value="Imprimir"-->
<!--#set var="w_scan" value="Valorar esta charla"-->
<!--#set var="w_api" value="API"-->
<!--#include virtual="$PAGE"-->
